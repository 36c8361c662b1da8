/** What a gateway tells the operator about functions that run in pods of their own. */
export interface DemandReport {
  /** The same as long as the process lives, and nobody else's. */
  readonly gateway: string;
  readonly functions: readonly FunctionDemand[];
}

export interface FunctionDemand {
  /** `NAMESPACE/NAME` of the Function. */
  readonly function: string;
  /** Requests that the gateway has now: under way, held, or in the queue. */
  readonly open: number;
  /** Requests that it has answered since it started. */
  readonly answered: number;
}
