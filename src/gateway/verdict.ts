/** What a stage says about the request it was given. */
export type Verdict = typeof NEXT | typeof WAIT | typeof ANSWERED;

/** Go on with the next stage. */
export const NEXT = 0;
/** The stage waits for something and will call `lifecycle.resume` itself. */
export const WAIT = 1;
/** The request has its answer. */
export const ANSWERED = 2;

/** The stages in the order of a request's life; also the rows of the stage histograms and of `mayfly dev`'s output. */
export const STAGES = [
  'parse',
  'route',
  'authenticate',
  'limit',
  'authorize',
  'admit',
  'invoke',
  'respond',
] as const;
export type Stage = (typeof STAGES)[number];

export const PARSE = 0;
export const ROUTE = 1;
export const AUTHENTICATE = 2;
export const LIMIT = 3;
export const AUTHORIZE = 4;
export const ADMIT = 5;
export const INVOKE = 6;
export const RESPOND = 7;
