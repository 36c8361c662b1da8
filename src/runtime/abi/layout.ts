/**
 * The two frames of guest ABI v1 as docs/reference/guest-abi.md draws them. All integers are little-endian.
 * The guest's side of the same numbers is sdk/assemblyscript/assembly/mayfly/frame.ts.
 */
export const ABI_VERSION = 1;

/** Request frame: fixed head, then the header table, then whatever the offsets point to. */
export const REQUEST_HEAD_BYTES = 40;
/** One entry of the header table: name offset, name length, value offset, value length, a word each. */
export const HEADER_ENTRY_BYTES = 16;
/** The header count is a 16-bit field. */
export const MAX_REQUEST_HEADERS = 0xffff;

/** Response frame: fixed head, then the header block, then the body. */
export const RESPONSE_HEAD_BYTES = 16;
