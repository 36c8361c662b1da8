import type { AddedFunctions } from '../../runtime/module/added-functions.ts';
import { type Assembler, Num } from '../../runtime/module/assembler.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import { I32, I64 } from '../../runtime/module/value-types.ts';
import { PAGE_BYTES } from '../../runtime/prepare/host.ts';
import { DIRTY_PAGE_BITS, DIRTY_PAGE_BYTES, MAP_BITS } from '../../runtime/prepare/layout.ts';
import { type PodLayout, REACH_BYTES } from './layout.ts';
import type { TableRuntime } from './table-runtime.ts';

/** How many bytes of map are looked at together. */
const STRIDE = 64;

/**
 * Saves the guest's state. Marked pages are all that differ from zero: those with data segments are marked from the
 * beginning. What is not saved stays zero in the snapshot, and so needs no note of its own.
 */
export function addSnapshot(layout: PodLayout, added: AddedFunctions, tables: TableRuntime): number {
  return added.add([], [], LOCALS, (code) => {
    eachMarkedPage(code, layout, (page) => copyPage(code, page, layout.snapshotAt, layout.base));
    tables.snapshot(code);
    for (const { global, shadow } of layout.shadows) code.globalGet(global).globalSet(shadow);
  });
}

/** () -> 0: puts the guest's state back. Memory that it grew by stays there, but is zero and out of its sight. */
export function addRestore(layout: PodLayout, added: AddedFunctions, tables: TableRuntime): number {
  return added.add([], [I32], LOCALS, (code) => {
    eachMarkedPage(code, layout, (page) => copyPage(code, page, layout.base, layout.snapshotAt));
    tables.restore(code);
    for (const { global, shadow } of layout.shadows) code.globalGet(shadow).globalSet(global);
    code.i32Const(0);
  });
}

const LOCALS = [I32, I32, I32, I32, I64] as const;
const [AT, END, STOP, PAGE, WORD] = [0, 1, 2, 3, 4];

/** Runs code for every marked page, its number in a local, and takes the mark away. A mark is the lowest bit of its byte. */
function eachMarkedPage(code: Assembler, { base, mapAt }: PodLayout, write: (page: number) => void): void {
  code
    .memorySize(0)
    .i32Const(base / PAGE_BYTES)
    .op(Num.I32_SUB)
    .i32Const(MAP_BITS)
    .op(Num.I32_SHL)
    .localSet(END);
  code.block().loop();
  code.localGet(AT).localGet(END).op(Num.I32_GE_U).brIf(1);
  for (let part = 0; part < STRIDE; part += 16) {
    code.localGet(AT).access(Op.V128_LOAD, 0, mapAt + part);
    if (part > 0) code.op(0xfd, 0x50); // v128.or
  }
  code.op(0xfd, 0x53).op(Num.I32_EQZ).if(); // v128.any_true
  code.localGet(AT).i32Const(STRIDE).op(Num.I32_ADD).localSet(AT);
  code.br(1).end();
  code.localGet(AT).i32Const(STRIDE).op(Num.I32_ADD).localSet(STOP);
  code.loop();
  code.localGet(AT).access(Op.I64_LOAD, 0, mapAt).localTee(WORD).op(Num.I64_EQZ, Num.I32_EQZ).if();
  code.localGet(AT).i64Const(0n).access(Op.I64_STORE, 0, mapAt);
  code.loop();
  code.localGet(WORD).op(Num.I64_CTZ).i64Const(3n).op(Num.I64_SHR_U, Num.I32_WRAP_I64);
  code.localGet(AT).op(Num.I32_ADD).localSet(PAGE);
  write(PAGE);
  code.localGet(WORD).localGet(WORD).i64Const(1n).op(Num.I64_SUB, Num.I64_AND).localTee(WORD);
  code.op(Num.I64_EQZ, Num.I32_EQZ).brIf(0);
  code.end().end();
  code.localGet(AT).i32Const(8).op(Num.I32_ADD).localTee(AT).localGet(STOP).op(Num.I32_LT_U).brIf(0);
  code.end().br(0).end().end();
}

/** With the start of the next page: a mark stands for REACH_BYTES from any address in its page. */
function copyPage(code: Assembler, page: number, target: number, source: number): void {
  for (const start of [target, source]) {
    code.localGet(page).i32Const(DIRTY_PAGE_BITS).op(Num.I32_SHL).i32Const(start).op(Num.I32_ADD);
  }
  code.i32Const(DIRTY_PAGE_BYTES + REACH_BYTES).memoryCopy(0, 0);
}
