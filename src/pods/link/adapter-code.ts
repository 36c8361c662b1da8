import { Assembler } from '../../runtime/module/assembler.ts';
import { Instructions } from '../../runtime/module/instructions.ts';
import type { ModuleParts } from '../../runtime/module/module-parts.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import type { Reader } from '../../runtime/module/reader.ts';
import { Section } from '../../runtime/module/sections.ts';
import { readValueType } from '../../runtime/module/value-types.ts';
import type { Writer } from '../../runtime/module/writer.ts';
import { type Renumbering, writeRenumbered } from './renumbering.ts';

/** Code to write instead of a call of an imported function, by the index of the function in the adapter. */
export type Inlined = ReadonlyMap<number, (code: Assembler) => void>;

/** Writes the functions of the adapter for the pod: other indexes, and constants where it asks the linker for them. */
export function writeAdapterCode(
  adapter: ModuleParts,
  to: Renumbering,
  inlined: Inlined,
  section: Writer,
): void {
  const source = adapter.sections.reader(Section.CODE);
  if (source === null) return;
  const code = new Assembler(65_536);
  for (let count = source.count(); count > 0; count--) {
    const length = source.u32();
    writeBody(source, source.at + length, code, to, inlined);
    section.sized(code.written());
  }
}

function writeBody(source: Reader, end: number, code: Assembler, to: Renumbering, inlined: Inlined): void {
  code.clear();
  let copied = source.at;
  for (let groups = source.u32(); groups > 0; groups--) {
    source.u32();
    readValueType(source);
  }
  const at = new Instructions(source);
  while (source.at < end) {
    at.next();
    code.bytes(source.bytes, copied, at.start);
    copied = at.start;
    const constant = at.opcode === Op.CALL ? inlined.get(at.first) : undefined;
    if (constant !== undefined) constant(code);
    else if (!writeRenumbered(code, at, to)) continue;
    copied = at.end;
  }
  code.bytes(source.bytes, copied, end);
}
