/** What AssemblyScript's runtime offers and its own declarations leave out; for editors, the compiler knows them. */
declare function __alloc(size: usize): usize;
declare function __realloc(block: usize, size: usize): usize;
declare function __new(size: usize, id: u32): usize;
declare function __renew(object: usize, size: usize): usize;
