/** Whether what began at `from` may go on at `to`. On a way that was TLS and no longer is, anybody could answer. */
export function staysSafe(from: URL, to: URL): boolean {
  return to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
}
