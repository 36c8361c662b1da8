import { reserve } from "../memory/arena";
import * as wasi from "../wasi";
import { Connection, connectionAt } from "./connections";

/**
 * What to wait for, as WASI's `poll_oneoff` wants it: a timer, the listener, and each connection, to be read from or
 * written to. The table is kept as it is from call to call; only what changes is written.
 *
 * WasmEdge makes a system call for each subscription, and reports nothing about one that is in there twice.
 */
const SUBSCRIPTION_BYTES: usize = 48;
const EVENT_BYTES: usize = 32;

const CLOCK: u8 = 0;
export const READ: u8 = 1;
export const WRITE: u8 = 2;

const TIMER: u32 = 0;
const LISTENER: u32 = 1;
const FIRST: u32 = 2;

/** User data of the two that are no connections. */
const LISTENER_MARK: u64 = u64.MAX_VALUE;
const TIMER_MARK: u64 = u64.MAX_VALUE - 1;

let table: usize = 0;
let events: usize = 0;
let rows: u32 = FIRST;
/** Whether the listener is waited for. */
let listening = true;

// What the event under `readEvent` says.
export let isListener: bool = false;
export let connection: Connection = changetype<Connection>(0);
export let isWritable: bool = false;
export let isBroken: bool = false;

export function openPoll(maxConnections: u32, tickMs: i64): void {
  table = reserve(<usize>(maxConnections + FIRST) * SUBSCRIPTION_BYTES);
  events = reserve(<usize>(maxConnections + FIRST) * EVENT_BYTES);
  const timer = rowAt(TIMER);
  store<u64>(timer, TIMER_MARK);
  store<u8>(timer, CLOCK, 8);
  store<u32>(timer, wasi.MONOTONIC, 16);
  store<i64>(timer, tickMs * 1_000_000, 24);
}

export function pollListener(socket: i32): void {
  write(LISTENER, LISTENER_MARK, socket);
}

/** A process without a free descriptor lets new connections wait. */
export function setListening(on: bool): void {
  listening = on;
}

function rowAt(row: u32): usize {
  return table + <usize>row * SUBSCRIPTION_BYTES;
}

function write(row: u32, mark: u64, socket: i32): void {
  const at = rowAt(row);
  store<u64>(at, mark);
  store<u8>(at, READ, 8);
  store<i32>(at, socket, 16);
}

export function add(connection: Connection): void {
  connection.row = rows;
  write(rows++, connection.index, connection.socket);
}

export function remove(connection: Connection): void {
  const last = rowAt(--rows);
  if (connection.row == rows) return;
  memory.copy(rowAt(connection.row), last, SUBSCRIPTION_BYTES);
  connectionAt(load<u32>(last)).row = connection.row;
}

/** Waits for READ or WRITE from now on. */
export function waitFor(connection: Connection, type: u8): void {
  store<u8>(rowAt(connection.row), type, 8);
}

/** Waits until something happens; returns how many events there are. */
export function poll(): u32 {
  let first = rowAt(TIMER);
  let count = rows;
  if (listening && rows == FIRST) {
    // Nobody is there whose time could run out: an idle pod sleeps.
    first = rowAt(LISTENER);
    count = 1;
  } else if (!listening) {
    // The timer takes the listener's place.
    first = rowAt(LISTENER);
    memory.copy(spare, first, SUBSCRIPTION_BYTES);
    memory.copy(first, rowAt(TIMER), SUBSCRIPTION_BYTES);
    count--;
  }
  const error = wasi.poll_oneoff(first, events, count, wasi.out);
  if (!listening) memory.copy(first, spare, SUBSCRIPTION_BYTES);
  return error == wasi.SUCCESS ? load<u32>(wasi.out) : 0;
}

const spare: usize = memory.data(48, 16);

/** False: it is the timer's, which has no more to say. */
export function readEvent(index: u32): bool {
  const event = events + <usize>index * EVENT_BYTES;
  const mark = load<u64>(event);
  isListener = mark == LISTENER_MARK;
  if (mark == TIMER_MARK) return false;
  if (isListener) return true;
  connection = connectionAt(<u32>mark);
  isWritable = load<u8>(event, 10) == WRITE;
  isBroken = load<u16>(event, 8) != 0;
  return true;
}
