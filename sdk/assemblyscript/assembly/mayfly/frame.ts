/**
 * Layout of the two frames of guest ABI v1 (docs/reference/guest-abi.md): byte offsets of their fields.
 * The host's side is src/runtime/abi.
 */
export const VERSION: u8 = 1;

export namespace RequestField {
  export const METHOD: usize = 1;
  export const HEADER_COUNT: usize = 2;
  export const PATH: usize = 4;
  export const QUERY: usize = 12;
  export const USER: usize = 20;
  export const BODY: usize = 28;
  export const HEADERS: usize = 40;
}

/** One entry of the request's header table: four words. */
export const HEADER_ENTRY_SIZE: usize = 16;

export const RESPONSE_HEAD_SIZE: usize = 16;

/** The name of a method code. */
export function methodName(code: u8): string {
  switch (code) {
    case 1: return "GET";
    case 2: return "POST";
    case 3: return "PUT";
    case 4: return "DELETE";
    case 5: return "PATCH";
    case 6: return "HEAD";
    case 7: return "OPTIONS";
    default: return "";
  }
}

/** Room in front of a body for the head of the frame; a larger head moves the body once. */
export const HEADROOM: usize = 256;
