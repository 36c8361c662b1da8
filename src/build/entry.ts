/**
 * The file that joins a function with the SDK. It exists only inside the compiler: the module exports what the entry
 * file exports, and a function's author writes `handle(request: Request): Response`, not addresses.
 */
export const ENTRY = 'mayfly-entry.ts';

/** `module` is the function's file as an import specifier, e.g. `./function`. */
export function entrySource(module: string): string {
  return `import { respond } from "mayfly/entry";
import { handle as handler } from ${JSON.stringify(module)};
export { alloc } from "mayfly/entry";
export function handle(frame: usize, length: i32): u64 {
  return respond(frame, handler);
}
`;
}
