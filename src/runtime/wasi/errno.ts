/** The error numbers of WASI preview 1 that we answer with (witx `$errno`). */
export const SUCCESS = 0;
export const BADF = 8;
export const FAULT = 21;
export const INVAL = 28;
export const NOTSOCK = 57;
export const NOTSUP = 58;
export const SPIPE = 70;
