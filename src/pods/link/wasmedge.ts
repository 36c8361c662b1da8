import { MayflyError } from '../../model/errors.ts';
import type { Instructions } from '../../runtime/module/instructions.ts';
import type { ModuleParts } from '../../runtime/module/module-parts.ts';
import { Op, VECTOR } from '../../runtime/module/opcodes.ts';
import {
  EXTERNREF,
  F32,
  F64,
  FUNCREF,
  I32,
  I64,
  V128,
  type ValueType,
  valueTypeName,
} from '../../runtime/module/value-types.ts';

/**
 * What WasmEdge 0.14 does not run unless it is started with extra options, which the hosts of pods do not give:
 * found by trying each feature, interpreted and compiled (docs/adr/0004).
 */

const FIRST_RELAXED = VECTOR + 256;

const RUNNABLE: ReadonlySet<ValueType> = new Set([I32, I64, F32, F64, V128, FUNCREF, EXTERNREF]);

export function refuseModule(parts: ModuleParts): void {
  if (parts.memories.length > 1) {
    throw refused('more than one memory', 'memory section', 'Compile for one memory.');
  }
  if (parts.tags.length > 0) throw refused('exceptions', 'tag section', 'Compile without exceptions.');
  for (const { parameters, results } of parts.types) {
    for (const type of [...parameters, ...results]) refuseValueType(type, 'type section');
  }
  for (const { type } of parts.globals) refuseValueType(type, 'global section');
  for (const { element } of parts.tables) refuseValueType(element, 'table section');
}

export function refuseValueType(type: ValueType, where: string): void {
  if (RUNNABLE.has(type)) return;
  throw refused(`the type ${valueTypeName(type)}`, where, 'Compile for WebAssembly 2.0.');
}

export function refuseInstruction({ opcode, start, valueType }: Instructions): void {
  const isException =
    opcode === Op.TRY ||
    opcode === Op.TRY_TABLE ||
    opcode === Op.THROW ||
    opcode === Op.RETHROW ||
    opcode === Op.THROW_REF;
  if (isException) throw refused('exceptions', `byte ${start}`, 'Compile without exceptions.');
  if (valueType !== 0) refuseValueType(valueType, `byte ${start}`);
  if (opcode >= FIRST_RELAXED) throw refused('relaxed SIMD', `byte ${start}`, 'Compile for plain SIMD.');
}

/** The module is valid, but WasmEdge would not run it, or not as it should. */
export function refused(feature: string, where: string, fix: string): MayflyError {
  return new MayflyError(
    `The function cannot become a pod: it uses ${feature}, which WasmEdge does not run`,
    {
      where,
      fix,
      code: 'pod-unsupported',
      exitCode: 2,
    },
  );
}
