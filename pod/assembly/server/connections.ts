import { reserve } from "../memory/arena";
import { release } from "../memory/blocks";
import { Chunks } from "../http/chunked";
import * as wasi from "../wasi";
import { add, remove } from "./poll";
import { now } from "./time";

/** Between requests, or within a head. */
export const HEAD_STATE: i32 = 0;
export const BODY_STATE: i32 = 1;
/** The last answer is on its way; what still arrives is dropped. */
export const LINGERING: i32 = 2;
export const CLOSED: i32 = 3;

/** A client and where we are with it. Records are reused; what it holds of the arena is given back at the end. */
@unmanaged
export class Connection {
  index: u32;
  socket: i32;
  state: i32;
  /** Its row among the subscriptions (poll.ts). */
  row: u32;
  /** Whether it stays after the current answer. */
  keepAlive: bool;
  /** A part of a head has arrived: from then on its time runs. */
  headBegun: bool;
  /** The client will send no more. */
  clientEnded: bool;
  /** We have said that we will send no more. */
  finished: bool;
  /** Bytes that arrived and wait for the rest of a head. */
  held: usize;
  heldBytes: usize;
  /** A request whose body is incomplete: its head, then what there is of the body. */
  request: usize;
  headBytes: usize;
  bodyBytes: usize;
  /** Answers that the client has not taken yet: [unsentStart, unsentEnd) of the block. */
  unsent: usize;
  unsentStart: usize;
  unsentEnd: usize;
  unsentSince: i64;
  /** When the current phase began, what arrived in it, and when something last did. */
  phaseStart: i64;
  phaseBytes: i64;
  lastProgress: i64;
  chunks: Chunks;
  nextFree: u32;
}

const NONE: u32 = u32.MAX_VALUE;

let records: usize = 0;
let recordBytes: usize = 0;
let capacity: u32 = 0;
/** Records up to here have been in use. */
let touched: u32 = 0;
let firstFree: u32 = NONE;
export let openCount: u32 = 0;

export function openConnections(maxConnections: u32): void {
  capacity = maxConnections;
  recordBytes = offsetof<Connection>() + offsetof<Chunks>();
  records = reserve(<usize>capacity * recordBytes);
}

export function connectionAt(index: u32): Connection {
  return changetype<Connection>(records + <usize>index * recordBytes);
}

/** Records to look at in a sweep; some of them are CLOSED. */
export function usedRecords(): u32 {
  return touched;
}

/** Null: there are as many as there may be. */
export function openConnection(socket: i32): Connection | null {
  if (openCount == capacity) return null;
  let index = firstFree;
  if (index == NONE) index = touched++;
  else firstFree = connectionAt(index).nextFree;
  const connection = connectionAt(index);
  memory.fill(changetype<usize>(connection), 0, recordBytes);
  connection.index = index;
  connection.socket = socket;
  connection.chunks = changetype<Chunks>(changetype<usize>(connection) + offsetof<Connection>());
  connection.phaseStart = now;
  connection.lastProgress = now;
  openCount++;
  add(connection);
  return connection;
}

export function startPhase(connection: Connection): void {
  connection.phaseStart = now;
  connection.lastProgress = now;
  connection.phaseBytes = 0;
}

/** Ends it without a word. */
export function destroy(connection: Connection): void {
  if (connection.state == CLOSED) return;
  connection.state = CLOSED;
  remove(connection);
  dropHeld(connection);
  dropRequest(connection);
  dropUnsent(connection);
  wasi.fd_close(connection.socket);
  connection.nextFree = firstFree;
  firstFree = connection.index;
  openCount--;
}

export function dropHeld(connection: Connection): void {
  if (connection.held != 0) release(connection.held);
  connection.held = 0;
  connection.heldBytes = 0;
}

export function dropRequest(connection: Connection): void {
  if (connection.request != 0) release(connection.request);
  connection.request = 0;
}

export function dropUnsent(connection: Connection): void {
  if (connection.unsent != 0) release(connection.unsent);
  connection.unsent = 0;
  connection.unsentStart = 0;
  connection.unsentEnd = 0;
}
