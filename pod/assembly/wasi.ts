/**
 * What the server asks of WasmEdge 0.14.1, with its exact signatures. All return an error number, 0 for success.
 * Sockets are its extension of WASI preview 1.
 */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_open")
export declare function sock_open(family: i32, type: i32, outSocket: usize): i32;
/** The address is {bytes: u32, length: u32} with 4 or 16 bytes; the port is in host order. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_bind")
export declare function sock_bind(socket: i32, address: usize, port: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_listen")
export declare function sock_listen(socket: i32, backlog: i32): i32;
/** The form with two parameters: that with three sets its flags on the listener instead of the connection. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_accept")
export declare function sock_accept(socket: i32, outSocket: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_recv")
export declare function sock_recv(socket: i32, vectors: usize, count: i32, flags: i32, outLength: usize, outFlags: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_send")
export declare function sock_send(socket: i32, vectors: usize, count: i32, flags: i32, outLength: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_shutdown")
export declare function sock_shutdown(socket: i32, how: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_setsockopt")
export declare function sock_setsockopt(socket: i32, level: i32, name: i32, value: usize, length: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_fdstat_set_flags")
export declare function fd_fdstat_set_flags(fd: i32, flags: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_close")
export declare function fd_close(fd: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
export declare function fd_write(fd: i32, vectors: usize, count: i32, outLength: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "poll_oneoff")
export declare function poll_oneoff(subscriptions: usize, events: usize, count: i32, outCount: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(clock: i32, precision: i64, outTime: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function environ_sizes_get(outCount: usize, outSize: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
export declare function environ_get(table: usize, text: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(out: usize, length: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
export declare function proc_exit(code: i32): void;

export const SUCCESS: i32 = 0;
/** Nothing there just now (EAGAIN). */
export const AGAIN: i32 = 6;

export const REALTIME: i32 = 0;
export const MONOTONIC: i32 = 1;

/** Where calls put their results: 16 bytes, read right after the call. */
export const out: usize = memory.data(16, 16);
/** Room for two vectors of {address, length}. */
export const vectors: usize = memory.data(16, 16);
