/** What a module built from a function exports; `mayfly build` writes the two lines that join it with the function. */
import { Request } from "./request";
import { Response } from "./response";
export { abort } from "./abort";

/** Where the host puts the request frame. */
export function alloc(length: i32): usize {
  return __alloc(length);
}

export function respond(frame: usize, handler: (request: Request) => Response): u64 {
  return handler(new Request(frame)).toFrame();
}
