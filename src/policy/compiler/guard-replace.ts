import { Assembler, Num } from '../../runtime/module/assembler.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import { Reader } from '../../runtime/module/reader.ts';
import { type ModuleParts, readModuleParts } from '../../runtime/module/module-parts.ts';
import { Section } from '../../runtime/module/sections.ts';
import { Writer } from '../../runtime/module/writer.ts';

/** What the guard tells the host's `opa_abort` instead of the address of a message. */
export const EMPTY_REPLACE = -1;

const REPLACE = 'opa_strings_replace';
const ABORT = 'opa_abort';
/** OPA's value header (wasm/src/value.h): type at 0, and for strings their length at 4. */
const STRING_TYPE = 4;
const LENGTH_OFFSET = 4;
/** Parameters: text, old, new. */
const OLD = 1;
/** Subsection of the name section (Core Specification, appendix 7.4.1). */
const FUNCTION_NAMES = 1;
const I32_LOAD8_U = 0x2d;

/**
 * OPA's WebAssembly never returns from `replace(text, "", new)`, and nothing stops a policy that runs on the thread of
 * the requests. Puts a check before that function: it aborts with EMPTY_REPLACE instead. A module without the function
 * comes back as it is.
 */
export function guardReplace(wasm: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const parts = readModuleParts(wasm);
  const names = functionNames(parts);
  const replace = names.get(REPLACE);
  if (replace === undefined) return wasm;
  const abort = names.get(ABORT);
  if (abort === undefined) throw new TypeError(`the compiled policy has no ${ABORT}`);
  return withPrologue(parts, replace - parts.importedFunctions, guard(abort));
}

function guard(abort: number): Assembler {
  const code = new Assembler();
  code.localGet(OLD).access(I32_LOAD8_U, 0).i32Const(STRING_TYPE).op(Num.I32_EQ).if();
  code.localGet(OLD).access(Op.I32_LOAD, 0, LENGTH_OFFSET).op(Num.I32_EQZ).if();
  code.i32Const(EMPTY_REPLACE).call(abort).op(Op.UNREACHABLE);
  return code.end().end();
}

function functionNames({ sections }: ModuleParts): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  if (sections.names === null) return names;
  const reader = new Reader(sections.names);
  reader.name();
  while (!reader.done) {
    const id = reader.u8();
    const end = reader.u32() + reader.at;
    if (id === FUNCTION_NAMES) {
      for (let count = reader.u32(); count > 0; count--) {
        const index = reader.u32();
        names.set(reader.name(), index);
      }
    }
    reader.at = end;
  }
  return names;
}

/** The module with `prologue` before the code of the function that is number `wanted` in the code section. */
function withPrologue(
  { sections }: ModuleParts,
  wanted: number,
  prologue: Assembler,
): Uint8Array<ArrayBuffer> {
  const { bytes } = sections;
  const code = sections.reader(Section.CODE) as Reader;
  const sectionStart = code.at;
  code.u32();
  for (let skipped = 0; skipped < wanted; skipped++) code.skip(code.u32());
  const entry = code.at;
  const bodyEnd = code.u32() + code.at;
  const body = code.at;
  for (let groups = code.u32(); groups > 0; groups--) {
    code.u32();
    code.u8();
  }
  const changed = new Writer();
  changed.bytes(bytes, body, code.at);
  changed.bytes(prologue.written());
  changed.bytes(bytes, code.at, bodyEnd);
  const section = new Writer(bytes.length);
  section.bytes(bytes, sectionStart, entry);
  section.sized(changed.written());
  section.bytes(bytes, bodyEnd, code.end);
  return replaceSection(bytes, Section.CODE, section.written());
}

function replaceSection(bytes: Uint8Array, wanted: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Writer(bytes.length + content.length);
  out.bytes(bytes, 0, 8);
  const reader = new Reader(bytes, 8);
  while (!reader.done) {
    const start = reader.at;
    const id = reader.u8();
    reader.skip(reader.u32());
    if (id !== wanted) {
      out.bytes(bytes, start, reader.at);
      continue;
    }
    out.u8(id);
    out.sized(content);
  }
  return out.written().slice() as Uint8Array<ArrayBuffer>;
}
