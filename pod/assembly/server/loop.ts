import { ERROR, say } from "../log";
import { reserve } from "../memory/arena";
import * as wasi from "../wasi";
import { checkTime, clientEnded, drained, receive } from "./connection";
import { CLOSED, Connection, connectionAt, destroy, openCount, usedRecords } from "./connections";
import { accept } from "./listener";
import { connection, isBroken, isListener, isWritable, poll, readEvent, setListening } from "./poll";
import { now, readNow, renderDateLine } from "./time";

/**
 * The life of the process: wait, see what happened, read, answer, and a few times a second look at the time. One thread
 * does it all; the function runs in here.
 */
const READ_BYTES: usize = 65_536;
export const SWEEP_MS: i64 = 500;
/** Rounds without waiting, before the listener and the clock are looked at again. */
const EAGER_ROUNDS: i32 = 8;

let readBuffer: usize = 0;
let lastSweep: i64 = i64.MIN_VALUE >> 1;
/** Reads that brought something since the round began. */
let received: u32 = 0;
/** No descriptor was left for a new connection: none is taken before the next sweep. */
let exhausted = false;

export function openLoop(): void {
  readBuffer = reserve(READ_BYTES);
}

export function serve(): void {
  while (true) {
    setListening(!exhausted);
    const events = poll();
    readNow();
    const isDue = now - lastSweep >= SWEEP_MS;
    if (isDue) renderDateLine();
    if (events == 0) lookAtAll();
    received = 0;
    let isCalling = false;
    for (let i: u32 = 0; i < events; i++) {
      if (!readEvent(i)) continue;
      if (isListener) isCalling = true;
      else if (connection.state != CLOSED) attend(connection, isWritable, isBroken);
    }
    if (isCalling && !accept()) {
      if (!exhausted) say(ERROR, "No descriptor is left for another connection", "open", openCount);
      exhausted = true;
    }
    if (!isCalling) readEagerly();
    // After the events: what has arrived while the function kept everybody waiting is not late.
    if (isDue) sweep();
  }
}

function attend(connection: Connection, isWritable: bool, isBroken: bool): void {
  if (isBroken) destroy(connection);
  else if (isWritable) drained(connection);
  else read(connection);
}

function read(connection: Connection): void {
  store<usize>(wasi.vectors, readBuffer);
  store<usize>(wasi.vectors, READ_BYTES, 4);
  const error = wasi.sock_recv(connection.socket, wasi.vectors, 1, 0, wasi.out, wasi.out + 4);
  if (error == wasi.AGAIN) return;
  const length = load<u32>(wasi.out);
  if (error != wasi.SUCCESS) destroy(connection);
  else if (length == 0) clientEnded(connection);
  else {
    received++;
    receive(connection, readBuffer, length);
  }
}

/**
 * Where at least half of the connections had something to say, they are read again at once: waiting costs a system call
 * a connection and another for each that is ready, reading in vain costs one (a fifth less CPU with 64 busy connections).
 */
function readEagerly(): void {
  for (let round = 0; round < EAGER_ROUNDS && received > 0 && received * 2 >= openCount; round++) {
    received = 0;
    lookAtAll();
  }
}

/** `poll_oneoff` says nothing about a socket that only has an error: reading it tells. */
function lookAtAll(): void {
  for (let i: u32 = 0; i < usedRecords(); i++) {
    const connection = connectionAt(i);
    if (connection.state != CLOSED && connection.unsent == 0) read(connection);
  }
}

function sweep(): void {
  lastSweep = now;
  exhausted = false;
  for (let i: u32 = 0; i < usedRecords(); i++) {
    const connection = connectionAt(i);
    if (connection.state != CLOSED) checkTime(connection);
  }
}
