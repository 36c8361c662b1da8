import { grow } from "../memory/blocks";
import * as wasi from "../wasi";
import { Connection, destroy, dropUnsent } from "./connections";
import { READ, WRITE, waitFor } from "./poll";
import { now } from "./time";

/** Sending: what the kernel does not take at once waits in a block of the arena. */

const SHUT_WRITE: i32 = 2;

/**
 * Sends `head`, then `body`, in one call: WasmEdge has no TCP_NODELAY, and a head that went alone would let the body wait
 * for its acknowledgement. Returns false when the connection is gone.
 */
export function send(connection: Connection, head: usize, headBytes: usize, body: usize, bodyBytes: usize): bool {
  if (connection.unsent != 0) return keep(connection, head, headBytes) && keep(connection, body, bodyBytes);
  store<usize>(wasi.vectors, head);
  store<usize>(wasi.vectors, headBytes, 4);
  store<usize>(wasi.vectors, body, 8);
  store<usize>(wasi.vectors, bodyBytes, 12);
  const error = wasi.sock_send(connection.socket, wasi.vectors, bodyBytes == 0 ? 1 : 2, 0, wasi.out);
  if (error != wasi.SUCCESS && error != wasi.AGAIN) return lost(connection);
  const sent: usize = error == wasi.AGAIN ? 0 : load<u32>(wasi.out);
  if (sent == headBytes + bodyBytes) return true;
  if (sent >= headBytes) return keep(connection, body + (sent - headBytes), bodyBytes - (sent - headBytes));
  return keep(connection, head + sent, headBytes - sent) && keep(connection, body, bodyBytes);
}

function lost(connection: Connection): bool {
  destroy(connection);
  return false;
}

/** For later. A connection for which there is no room is cut. */
function keep(connection: Connection, from: usize, bytes: usize): bool {
  if (bytes == 0) return true;
  if (connection.unsent == 0) {
    connection.unsentSince = now;
    waitFor(connection, WRITE);
  }
  const block = grow(connection.unsent, connection.unsentEnd, connection.unsentEnd + bytes);
  if (block == 0) return lost(connection);
  memory.copy(block + connection.unsentEnd, from, bytes);
  connection.unsent = block;
  connection.unsentEnd += bytes;
  return true;
}

/** The socket takes more. Returns false when the connection is gone, or not all went out. */
export function flushUnsent(connection: Connection): bool {
  store<usize>(wasi.vectors, connection.unsent + connection.unsentStart);
  store<usize>(wasi.vectors, connection.unsentEnd - connection.unsentStart, 4);
  const error = wasi.sock_send(connection.socket, wasi.vectors, 1, 0, wasi.out);
  if (error == wasi.AGAIN) return false;
  if (error != wasi.SUCCESS) return lost(connection);
  connection.unsentStart += load<u32>(wasi.out);
  if (connection.unsentStart < connection.unsentEnd) return false;
  dropUnsent(connection);
  waitFor(connection, READ);
  return true;
}

/** No more is sent: FIN. A client that has ended too is gone with it. */
export function finish(connection: Connection): void {
  if (connection.unsent != 0 || connection.finished) return;
  connection.finished = true;
  if (connection.clientEnded || wasi.sock_shutdown(connection.socket, SHUT_WRITE) != wasi.SUCCESS) destroy(connection);
}
