/** What an HTTP/1 connection is busy with. The order counts: up to `BODY_PHASE` it reads requests, from `LINGERING` on never again. */

/** Between requests, or within a head. */
export const HEAD_PHASE = 0;
export const BODY_PHASE = 1;
/** The handler has the request and has not answered yet. */
export const HANDLING = 2;
/** The last answer is on its way; what still arrives is dropped. */
export const LINGERING = 3;
export const CLOSED = 4;
