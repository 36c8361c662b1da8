import type { Kind } from '../../model/function.ts';
import type { Assembler } from '../../runtime/module/assembler.ts';
import type { ModuleParts } from '../../runtime/module/module-parts.ts';
import { I32, I64, type ValueType } from '../../runtime/module/value-types.ts';
import type { GuestContext } from './guest-code.ts';
import { FUEL, STACK_BYTES } from './guest-runtime.ts';
import { brokenAdapter, functionExport, GUEST } from './index-spaces.ts';
import type { PodOptions } from './layout.ts';
import { addRestore, addSnapshot } from './restore.ts';
import { Op } from '../../runtime/module/opcodes.ts';

/** What stands for the adapter's imports from the linker: functions by name, and code to write instead of a call. */
export interface AdapterImports {
  readonly functions: ReadonlyMap<string, number>;
  readonly inlined: ReadonlyMap<number, (code: Assembler) => void>;
}

/** Adds the functions that the adapter drives the guest with. */
export function adapterImports(
  adapter: ModuleParts,
  guest: ModuleParts,
  kind: Kind,
  context: GuestContext,
  options: PodOptions,
): AdapterImports {
  const { layout, runtime } = context;
  const functions = new Map([
    ['initialize', addInitialize(guest, context)],
    ['alloc', exportedOr(guest, context, 'alloc', [I32], [I32])],
    ['handle', exportedOr(guest, context, 'handle', [I32, I32], [I64])],
    ['start', exportedOr(guest, context, '_start', [], [])],
    ['arm', addArm(context)],
    ['restore', addRestore(layout, context.added, context.tables)],
    ['mark', runtime.mark],
    ['stop', runtime.stop],
  ]);
  const values: Readonly<Record<string, (code: Assembler) => void>> = {
    status: (code) => code.globalGet(layout.status),
    base: (code) => code.i32Const(layout.base),
    size: (code) => code.globalGet(layout.bytes),
    limit: (code) => code.i32Const(options.memoryBytes),
    stack: (code) => code.globalGet(layout.stack),
    kind: (code) => code.i32Const(kind === 'handler' ? 0 : 1),
    settings: (code) => code.i32Const(layout.settingsAt),
    arena: (code) => code.i32Const(options.arenaBytes),
  };
  const inlined = new Map<number, (code: Assembler) => void>();
  adapter.imports.forEach(({ module, name }, index) => {
    if (module !== GUEST || functions.has(name)) return;
    const write = values[name];
    if (write === undefined) throw brokenAdapter(`it asks for guest.${name}`);
    inlined.set(index, write);
  });
  return { functions, inlined };
}

/** () -> status: runs what comes before the first request, and takes the snapshot. */
function addInitialize(guest: ModuleParts, context: GuestContext): number {
  const { layout, added, tables, to } = context;
  const snapshot = addSnapshot(layout, added, tables);
  const initial = [guest.start, functionExport(guest, '_initialize')];
  return added.add([], [I32], [], (code) => {
    for (const func of initial) {
      if (func === null || func === undefined) continue;
      code.call(to.func(func)).globalGet(layout.status).if();
      code.globalGet(layout.status).op(Op.RETURN).end();
    }
    code.call(snapshot).i32Const(0);
  });
}

/** (deadline in milliseconds of the adapter's clock): a new run begins. */
function addArm({ layout, added }: GuestContext): number {
  return added.add([I64], [], [], (code) => {
    code.localGet(0).globalSet(layout.deadline);
    code.i32Const(0).globalSet(layout.status);
    code.i32Const(FUEL).globalSet(layout.fuel);
    code.i32Const(STACK_BYTES).globalSet(layout.stack);
  });
}

/** The guest's own function, or one that only traps: the other kind of guest has it. */
function exportedOr(
  guest: ModuleParts,
  { to, added, runtime }: GuestContext,
  name: string,
  parameters: readonly ValueType[],
  results: readonly ValueType[],
): number {
  const index = functionExport(guest, name);
  if (index !== undefined) return to.func(index);
  return added.add(parameters, results, [], (code) => {
    code.call(runtime.trap);
    for (const type of results)
      if (type === I32) code.i32Const(0);
      else code.i64Const(0n);
  });
}
