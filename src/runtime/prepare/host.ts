/** The module name of the memories that the host lends, and the first word of the exports it drives an instance with. */
export const HOST = 'mayfly:host';
/** A page of linear memory, and how many a memory of 32-bit addresses can have. */
export const PAGE_BYTES = 65_536;
export const MAX_PAGES = 65_536;
