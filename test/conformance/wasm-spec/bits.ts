import { Assembler } from '../../../src/runtime/module/assembler.ts';
import type { FunctionType } from '../../../src/runtime/module/module-parts.ts';
import { Section } from '../../../src/runtime/module/sections.ts';
import {
  F32,
  F64,
  I32,
  I64,
  V128,
  type ValueType,
  writeValueType,
} from '../../../src/runtime/module/value-types.ts';
import { Writer } from '../../../src/runtime/module/writer.ts';

/**
 * JavaScript cannot pass v128 values, nor NaNs with their bits. A small module between does: for a function type it
 * takes and gives f32 as i32, f64 as i64, v128 as two i64.
 */
const adapters = new Map<string, WebAssembly.Module>();

/** `target`, which has the type `type`, with its numbers as bits. */
export function asBits(target: unknown, type: FunctionType): (...values: unknown[]) => unknown {
  const key = `${type.parameters}|${type.results}`;
  let adapter = adapters.get(key);
  if (adapter === undefined) adapters.set(key, (adapter = new WebAssembly.Module(writeAdapter(type))));
  const imports = { target: { call: target as WebAssembly.ExportValue } };
  return new WebAssembly.Instance(adapter, imports).exports['call'] as (...values: unknown[]) => unknown;
}

/** How many values of the adapter stand for one of this type. */
export function width(type: ValueType): number {
  return type === V128 ? 2 : 1;
}

function bitTypes(types: readonly ValueType[]): ValueType[] {
  return types.flatMap((type) =>
    type === F32 ? [I32] : type === F64 ? [I64] : type === V128 ? [I64, I64] : [type],
  );
}

function writeAdapter(type: FunctionType): Uint8Array<ArrayBuffer> {
  const outer = { parameters: bitTypes(type.parameters), results: bitTypes(type.results) };
  const module = new Writer();
  module.bytes(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  section(module, Section.TYPE, (out) => {
    out.u32(2);
    for (const { parameters, results } of [type, outer]) {
      out.u8(0x60);
      for (const list of [parameters, results]) {
        out.u32(list.length);
        for (const value of list) writeValueType(out, value);
      }
    }
  });
  section(module, Section.IMPORT, (out) => {
    out.u32(1);
    out.name('target');
    out.name('call');
    out.bytes(Uint8Array.of(0, 0));
  });
  section(module, Section.FUNCTION, (out) => out.bytes(Uint8Array.of(1, 1)));
  section(module, Section.EXPORT, (out) => {
    out.u32(1);
    out.name('call');
    out.bytes(Uint8Array.of(0, 1));
  });
  section(module, Section.CODE, (out) => {
    const code = writeCall(type, outer.parameters.length);
    out.u32(1);
    out.sized(code);
  });
  return module.written().slice() as Uint8Array<ArrayBuffer>;
}

function writeCall(type: FunctionType, parameters: number): Uint8Array {
  const code = new Assembler();
  code.u32(type.results.length);
  for (const result of type.results) {
    code.u32(1);
    writeValueType(code, result);
  }
  let local = 0;
  for (const parameter of type.parameters) {
    code.localGet(local);
    if (parameter === F32) code.op(0xbe); // f32.reinterpret_i32
    if (parameter === F64) code.op(0xbf); // f64.reinterpret_i64
    if (parameter === V128)
      code
        .op(0xfd, 0x12)
        .localGet(local + 1)
        .op(0xfd, 0x1e, 1); // i64x2.splat, replace_lane 1
    local += width(parameter);
  }
  code.call(0);
  for (let result = type.results.length - 1; result >= 0; result--) code.localSet(parameters + result);
  for (const [index, result] of type.results.entries()) {
    code.localGet(parameters + index);
    if (result === F32) code.op(0xbc); // i32.reinterpret_f32
    if (result === F64) code.op(0xbd); // i64.reinterpret_f64
    if (result === V128)
      code
        .op(0xfd, 0x1d, 0)
        .localGet(parameters + index)
        .op(0xfd, 0x1d, 1); // i64x2.extract_lane
  }
  code.op(0x0b);
  return code.written();
}

function section(module: Writer, id: number, write: (out: Writer) => void): void {
  const out = new Writer();
  write(out);
  module.u8(id);
  module.sized(out.written());
}
