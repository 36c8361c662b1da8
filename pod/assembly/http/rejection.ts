/** Why the scanners refuse a request, as negative numbers: an address is never negative, so one number says it all. */
export const BAD_REQUEST: i32 = -1;
export const INVALID_PATH: i32 = -2;
export const URI_TOO_LONG: i32 = -3;
export const HEADERS_TOO_LARGE: i32 = -4;
export const CONTENT_TOO_LARGE: i32 = -5;
export const EXPECTATION_FAILED: i32 = -6;
export const METHOD_NOT_IMPLEMENTED: i32 = -7;
export const TRANSFER_CODING_NOT_IMPLEMENTED: i32 = -8;
export const VERSION_NOT_SUPPORTED: i32 = -9;
