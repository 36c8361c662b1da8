/** Request methods as in the guest ABI. */
export const GET: i32 = 1;
export const POST: i32 = 2;
export const PUT: i32 = 3;
export const DELETE: i32 = 4;
export const PATCH: i32 = 5;
export const HEAD: i32 = 6;
export const OPTIONS: i32 = 7;

export const METHODS: i32 = 8;

export function methodName(method: i32): string {
  if (method == GET) return "GET";
  if (method == POST) return "POST";
  if (method == PUT) return "PUT";
  if (method == DELETE) return "DELETE";
  if (method == PATCH) return "PATCH";
  if (method == HEAD) return "HEAD";
  return "OPTIONS";
}
