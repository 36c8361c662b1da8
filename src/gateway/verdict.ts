import { stage } from '../observability/definitions.ts';

/** What a stage says about the request it was given. */
export type Verdict = typeof NEXT | typeof WAIT | typeof ANSWERED;

/** Go on with the next stage. */
export const NEXT = 0;
/** The stage waits for something and will call `lifecycle.resume` itself. */
export const WAIT = 1;
/** The request has its answer. */
export const ANSWERED = 2;

/** The stages by number, in the order of a request's life (observability/definitions.ts has their names). */
export const { route: ROUTE, authenticate: AUTHENTICATE, limit: LIMIT } = stage;
export const { authorize: AUTHORIZE, admit: ADMIT, invoke: INVOKE, respond: RESPOND } = stage;
