/**
 * Request methods as small numbers, so that the data path compares integers.
 * The numbers are part of the guest ABI (docs/reference/guest-abi.md): append, never renumber.
 */
export const METHODS = ['', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'] as const;
export type MethodName = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'HEAD' | 'OPTIONS';

export const GET = 1;
export const POST = 2;
export const PUT = 3;
export const DELETE = 4;
export const PATCH = 5;
export const HEAD = 6;
export const OPTIONS = 7;

/** The number of a method name, 0 when it is not one of ours. */
export function methodCode(name: string): number {
  const code = (METHODS as readonly string[]).indexOf(name);
  return code < 0 ? 0 : code;
}
