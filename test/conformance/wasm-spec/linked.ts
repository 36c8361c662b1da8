/**
 * The specification's modules as guests of pods: linked with an adapter that does nothing, and with their own exports put
 * back, so that each function can be asked as it can before.
 */
import { MayflyError } from '../../../src/model/errors.ts';
import { linkPod } from '../../../src/pods/link/link.ts';
import { type ModuleParts, readModuleParts } from '../../../src/runtime/module/module-parts.ts';
import { Section } from '../../../src/runtime/module/sections.ts';
import { Writer } from '../../../src/runtime/module/writer.ts';
import { assembleText } from '../../support/pod/driver.ts';
import { type Instantiate, instantiatePlain } from './world.ts';

const PRINTS = ['', 'i32', 'i64', 'f32', 'f64', 'i32 f32', 'f64 f64'].map((types) => {
  const name = ['print', ...types.split(' ').filter((type) => type !== '')].join('_');
  return `(func (export "spectest$${name}") (param ${types}))`;
});
/** The functions in the order of their numbers in every pod, which has no imports. */
const adapter = assembleText(`(module
  (import "guest" "initialize" (func $initialize (result i32)))
  (import "guest" "arm" (func $arm (param i64)))
  (import "guest" "status" (func $status (result i32)))
  (memory (export "memory") 1)
  (func (export "_start"))
  (func (export "clock") (result i64) (i64.const 0))
  (func $begin (call $arm (i64.const 0x7fffffffffffffff)))
  (func $ended (result i32) (call $status))
  (func $first (result i32) (call $begin) (call $initialize))
  ${PRINTS.join('\n')})`);
const ADAPTER_FUNCTIONS = 5 + PRINTS.length;
const OWN = { 'pod:begin': 2, 'pod:ended': 3, 'pod:first': 4 } as const;
const MEMORY_BYTES = 2 ** 26;

type Begin = () => void;
type Status = () => number;

/** Links what can be linked; the rest runs as it is, and `onRefusal` is told why. */
export function linkedInstantiation(onRefusal: (reason: string) => void): Instantiate {
  return (bytes, imports) => {
    let pod: Uint8Array<ArrayBuffer>;
    try {
      pod = link(bytes);
    } catch (error) {
      if (!(error instanceof MayflyError)) throw error;
      if (error.code !== 'invalid-module') onRefusal(error.what);
      return instantiatePlain(bytes, imports);
    }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(pod));
    if ((exports['pod:first'] as Status)() !== 0) throw new WebAssembly.RuntimeError('it trapped');
    return exports;
  };
}

/** Traps of linked functions do not throw: they leave a status. */
export function aroundCall(exports: WebAssembly.Exports, call: () => unknown): unknown {
  const begin = exports['pod:begin'] as Begin | undefined;
  begin?.();
  const result = call();
  if (begin !== undefined && (exports['pod:ended'] as Status)() !== 0)
    throw new WebAssembly.RuntimeError('it trapped');
  return result;
}

function link(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (!WebAssembly.validate(bytes)) throw new MayflyError('not valid', { code: 'invalid-module' });
  const parts = readModuleParts(bytes);
  const pod = linkPod(asCommand(bytes, parts), adapter, {
    memoryBytes: MEMORY_BYTES,
    arenaBytes: 65_536,
    settings: new Uint8Array(4),
  });
  const functions = parts.exports.flatMap(({ kind, name, index }) =>
    kind === 'function' && index >= parts.importedFunctions
      ? [{ name, kind: 0, index: ADAPTER_FUNCTIONS + index - parts.importedFunctions }]
      : kind === 'global'
        ? [{ name, kind: 3, index }]
        : [],
  );
  const own = Object.entries(OWN).map(([name, index]) => ({ name, kind: 0, index }));
  return withSections(pod, { [Section.EXPORT]: exportSection([...own, ...functions]) });
}

/** A guest must be a handler or a command: with a `_start` that does nothing, and a memory. */
function asCommand(bytes: Uint8Array<ArrayBuffer>, parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const grown = (id: number, entry: readonly number[]) => {
    const source = parts.sections.reader(id);
    const out = new Writer();
    out.u32((source?.count() ?? 0) + 1);
    if (source !== null) out.bytes(source.bytes, source.at, source.end);
    out.bytes(Uint8Array.from(entry));
    return out.written().slice();
  };
  const type = new Writer();
  type.u32(parts.types.length);
  return withSections(bytes, {
    [Section.TYPE]: grown(Section.TYPE, [0x60, 0, 0]),
    [Section.FUNCTION]: grown(Section.FUNCTION, [...type.written()]),
    [Section.CODE]: grown(Section.CODE, [2, 0, 0x0b]),
    ...(parts.memories.length === 0 && { [Section.MEMORY]: grown(Section.MEMORY, [1, 0, 0]) }),
    [Section.EXPORT]: exportSection([
      { name: '_start', kind: 0, index: parts.functions.length },
      { name: 'memory', kind: 2, index: 0 },
    ]),
  });
}

interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

function exportSection(entries: readonly Export[]): Uint8Array {
  const out = new Writer();
  out.u32(entries.length);
  for (const { name, kind, index } of entries) {
    out.name(name);
    out.u8(kind);
    out.u32(index);
  }
  return out.written();
}

/** The order of sections in a module; custom ones are left out. */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

function withSections(
  bytes: Uint8Array<ArrayBuffer>,
  changed: Readonly<Record<number, Uint8Array>>,
): Uint8Array<ArrayBuffer> {
  const { sections } = readModuleParts(bytes);
  const out = new Writer(bytes.length + 256);
  out.bytes(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  for (const id of ORDER) {
    const source = sections.reader(id);
    const content = changed[id] ?? source?.bytes.subarray(source.at, source.end);
    if (content === undefined) continue;
    out.u8(id);
    out.sized(content);
  }
  return out.written().slice();
}
