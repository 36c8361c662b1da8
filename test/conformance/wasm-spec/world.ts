import { MayflyError } from '../../../src/model/errors.ts';
import { Instance } from '../../../src/runtime/instance.ts';
import { createEpochMemory } from '../../../src/runtime/epoch-memory.ts';
import { type Prepared, prepare } from '../../../src/runtime/prepare/prepare.ts';
import { DirtyMap, RuntimeThread } from '../../../src/runtime/runtime-thread.ts';
import { readModuleParts } from '../../../src/runtime/module/module-parts.ts';
import { asBits } from './bits.ts';
import { toArguments } from './constants.ts';
import type { Action, Command, Script } from './suite.ts';

/** How a command ended, in words that compare, and the values it gave. */
export interface Outcome {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** How modules become instances: as they are, or prepared. */
export type Instantiate = (
  bytes: Uint8Array<ArrayBuffer>,
  imports: WebAssembly.Imports,
) => WebAssembly.Exports;

/** What is done around each call of an instance's function. */
export type AroundCall = (exports: WebAssembly.Exports, call: () => unknown) => unknown;

const JUST_CALL: AroundCall = (_exports, call) => call();

export function instantiatePlain(
  bytes: Uint8Array<ArrayBuffer>,
  imports: WebAssembly.Imports,
): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
}

const FOUR_GIB = 2 ** 32;
const FOREVER_MS = 2 ** 30;

const thread = new RuntimeThread(createEpochMemory());

/**
 * Prepares the module first. Refused ones run as they are, so that the rest of their script still means something;
 * `onRefusal` is told why. Nobody counts the epoch here: nothing is ever stopped.
 */
export function preparedInstantiation(onRefusal: (reason: string) => void): Instantiate {
  return (bytes, imports) => {
    let prepared: Prepared;
    try {
      prepared = prepare(bytes, { memoryBytes: FOUR_GIB });
    } catch (error) {
      if (!(error instanceof MayflyError)) throw error;
      if (error.code !== 'invalid-module') onRefusal(error.what);
      return instantiatePlain(bytes, imports);
    }
    const module = new WebAssembly.Module(prepared.wasm);
    const instance = Instance.create(thread, module, prepared.info, imports, {
      initialize: () => undefined,
      dirty: new DirtyMap(),
    });
    instance.arm(FOREVER_MS);
    return instance.exports;
  };
}

interface Loaded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly exports: WebAssembly.Exports;
}

/** Runs the commands of one script with one way to instantiate. */
export class World {
  readonly #script: Script;
  readonly #instantiate: Instantiate;
  readonly #registered: Record<string, WebAssembly.ModuleImports>;
  readonly #around: AroundCall;
  readonly #named = new Map<string, Loaded | null>();
  readonly #definitions = new Map<string, string>();
  #current: Loaded | null = null;

  constructor(
    script: Script,
    instantiate: Instantiate,
    spectest: WebAssembly.ModuleImports,
    around = JUST_CALL,
  ) {
    this.#around = around;
    this.#script = script;
    this.#instantiate = instantiate;
    this.#registered = { spectest };
  }

  /** The outcome of one command; null when there is none. */
  run(command: Command): Outcome | null {
    switch (command.type) {
      case 'module':
        return this.#define(command.name, binaryOf(command));
      case 'module_definition':
        this.#definitions.set(command.name ?? '', binaryOf(command));
        return null;
      case 'module_instance':
        return this.#define(command.instance, this.#definitions.get(command.module ?? '') as string);
      case 'register': {
        const loaded = this.#find(command.name);
        if (loaded === null) this.#registered[command.as as string] = {};
        else this.#registered[command.as as string] = loaded.exports as WebAssembly.ModuleImports;
        return null;
      }
      case 'assert_unlinkable':
      case 'assert_uninstantiable':
        return attempt(() => (this.#load(binaryOf(command)), []));
      default:
        return this.#act(command.action as Action);
    }
  }

  bytes(file: string): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.from(this.#script.modules[file] as string, 'base64'));
  }

  #define(name: string | undefined, file: string): Outcome {
    this.#current = null;
    const outcome = attempt(() => {
      this.#current = this.#load(file);
      return [];
    });
    if (name !== undefined) this.#named.set(name, this.#current);
    return outcome;
  }

  #load(file: string): Loaded {
    const bytes = this.bytes(file);
    return { bytes, exports: this.#instantiate(bytes, this.#registered) };
  }

  #find(name: string | undefined): Loaded | null {
    return name === undefined ? this.#current : (this.#named.get(name) ?? null);
  }

  #act(action: Action): Outcome | null {
    const loaded = this.#find(action.module);
    if (loaded === null) return null;
    const entry = loaded.exports[action.field];
    if (action.type === 'get') return attempt(() => [(entry as WebAssembly.Global).value]);
    return attempt(() => {
      const parts = readModuleParts(loaded.bytes);
      const index = parts.exports.find(({ name }) => name === action.field)?.index as number;
      const type = parts.types[parts.functions[index] as number];
      if (type === undefined) throw new Error(`${action.field} has no type`);
      const call = asBits(entry, type);
      const result = this.#around(loaded.exports, () => call(...(action.args ?? []).flatMap(toArguments)));
      return result === undefined ? [] : Array.isArray(result) ? result : [result];
    });
  }
}

function binaryOf(command: Command): string {
  return command.binary_filename ?? (command.filename as string);
}

function attempt(work: () => unknown[]): Outcome {
  try {
    const values = work();
    return { text: `returned ${values.map(describe).join(' ')}`, values };
  } catch (error) {
    if (error instanceof WebAssembly.Exception) return { text: 'exception', values: [] };
    const { name, message } = error as Error;
    // Link errors name indices of imports, which preparing changes.
    return { text: name === 'LinkError' ? name : `${name}: ${message}`, values: [] };
  }
}

function describe(value: unknown): string {
  return typeof value === 'function'
    ? 'function'
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
}
