/** The function that this server is linked with, and what the linker puts between the two (src/pods/link). */

/** How a call of the guest ended. */
export const FINE: i32 = 0;
export const TRAPPED: i32 = 1;
export const OUT_OF_TIME: i32 = 2;
export const EXITED: i32 = 3;

export const HANDLER: i32 = 0;
export const WAGI: i32 = 1;

/** Runs the guest's initialisation and takes the snapshot that `restore` goes back to. Returns how it ended. */
// @ts-ignore: decorator
@external("guest", "initialize")
export declare function initialize(): i32;
/** Guest addresses count from the guest's own 0: see `at`. */
// @ts-ignore: decorator
@external("guest", "alloc")
export declare function alloc(length: i32): i32;
// @ts-ignore: decorator
@external("guest", "handle")
export declare function handle(address: i32, length: i32): i64;
// @ts-ignore: decorator
@external("guest", "start")
export declare function start(): void;
/** How the last call ended. */
// @ts-ignore: decorator
@external("guest", "status")
export declare function status(): i32;
/** A run begins; it is stopped when `clock()` has passed the deadline. */
// @ts-ignore: decorator
@external("guest", "arm")
export declare function arm(deadline: i64): void;
/** Ends the run as soon as the host function that calls this returns. */
// @ts-ignore: decorator
@external("guest", "stop")
export declare function stop(status: i32): void;
/** Puts the guest back to its snapshot, whatever it did: always 0. */
// @ts-ignore: decorator
@external("guest", "restore")
export declare function restore(): i32;
/** The host wrote there. */
// @ts-ignore: decorator
@external("guest", "mark")
export declare function mark(address: i32, length: i32): void;
/** Where the guest's memory begins in ours, and how many bytes it has now. */
// @ts-ignore: decorator
@external("guest", "base")
export declare function base(): usize;
// @ts-ignore: decorator
@external("guest", "size")
export declare function size(): u32;
// @ts-ignore: decorator
@external("guest", "kind")
export declare function kind(): i32;
/** Address of the settings (settings.ts). */
// @ts-ignore: decorator
@external("guest", "settings")
export declare function settings(): usize;
/** What its memory may grow to, in bytes. */
// @ts-ignore: decorator
@external("guest", "limit")
export declare function limit(): u32;
/** What is left of the stack that a run may use; negative: it ended for want of it. */
// @ts-ignore: decorator
@external("guest", "stack")
export declare function stack(): i32;
/** Where the memory that belongs to the server ends. */
// @ts-ignore: decorator
@external("guest", "arena")
export declare function arena(): usize;

/** Whether `length` bytes at a guest's address lie within its memory. */
// @ts-ignore: decorator
@inline
export function has(address: u32, length: u32): bool {
  return <u64>address + <u64>length <= <u64>size();
}
