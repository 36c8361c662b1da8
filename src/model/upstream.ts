/** A function that runs elsewhere, behind an address: requests that passed all stages are forwarded there. */
export interface UpstreamSpec {
  /** Scheme, host and port, such as `http://orders.shop.svc:80`. */
  readonly url: string;
  /** How long a request waits for an upstream that cannot be reached, milliseconds; 0: not at all. */
  readonly holdMs: number;
  /** `NAMESPACE/NAME` of the Function in a cluster whose pods answer there; null: none, or nobody needs to know. */
  readonly pods: string | null;
}
