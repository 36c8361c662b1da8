/** The server takes no new work; set when the guest cannot be put back to its snapshot. */
export let draining: bool = false;

export function drain(): void {
  draining = true;
}
