/** Everything of an instance that can be seen from outside, as plain values that compare. */
export interface GuestState {
  readonly globals: Readonly<Record<string, unknown>>;
  /** Names of the functions in the table; the engine names exported functions by their index. */
  readonly table: readonly (string | null)[];
  readonly memories: readonly Buffer[];
}

export function stateOf(exports: WebAssembly.Exports): GuestState {
  const globals: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(exports)) {
    if (value instanceof WebAssembly.Global && !name.startsWith('mayfly:'))
      globals[name] = plain(value.value);
  }
  globals['v128'] = (exports['vector'] as () => bigint[])();
  const table = exports['table'] as WebAssembly.Table;
  return {
    globals,
    table: Array.from({ length: table.length }, (_, index) => plain(table.get(index)) as string | null),
    memories: [exports['memory'], exports['second']].map((memory) =>
      Buffer.from((memory as WebAssembly.Memory).buffer),
    ),
  };
}

function plain(value: unknown): unknown {
  return typeof value === 'function' ? value.name : value;
}

/** What differs between two states, in words; null when nothing does. */
export function difference(found: GuestState, expected: GuestState): string | null {
  for (const [name, value] of Object.entries(expected.globals)) {
    if (String(found.globals[name]) !== String(value) || !sameValue(found.globals[name], value)) {
      return `global ${name} is ${String(found.globals[name])} instead of ${String(value)}`;
    }
  }
  if (String(found.table) !== String(expected.table))
    return `the table is ${String(found.table)} instead of ${String(expected.table)}`;
  for (const [index, memory] of expected.memories.entries()) {
    const other = found.memories[index] as Buffer;
    if (other.length !== memory.length)
      return `memory ${index} has ${other.length} bytes instead of ${memory.length}`;
    if (!other.equals(memory))
      return `memory ${index} differs at ${memory.findIndex((byte, at) => byte !== other[at])}`;
  }
  return null;
}

function sameValue(left: unknown, right: unknown): boolean {
  return Array.isArray(left) ? String(left) === String(right) : Object.is(left, right);
}
