/** What the function answered to the request under way. The addresses hold until the guest is restored. */
export let status: i32 = 0;
/** Status line and header fields as HTTP/1.1 writes them, checked. */
export let head: usize = 0;
export let headBytes: usize = 0;
export let body: usize = 0;
export let bodyBytes: u32 = 0;

export function answer(itsStatus: i32, itsHead: usize, itsHeadBytes: usize, itsBody: usize, itsBodyBytes: u32): void {
  status = itsStatus;
  head = itsHead;
  headBytes = itsHeadBytes;
  body = itsBody;
  bodyBytes = itsBodyBytes;
}
