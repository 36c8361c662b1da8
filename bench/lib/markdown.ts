/** Tables as Markdown, and figures as people read them. */
export type Cell = string | number;

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** What the table means, or what is wrong with it. */
  readonly note?: string;
}

export function renderTable({ title, head, rows, note }: Table): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.join(' | ')} |`;
  const rule = `|${head.map((_, column) => (column === 0 ? '---' : '---:')).join('|')}|`;
  return [
    `**${title}**`,
    '',
    line(head),
    rule,
    ...rows.map(line),
    ...(note === undefined ? [] : ['', note]),
  ].join('\n');
}

/** 136500 → `136.5k`. */
export function thousands(value: number): string {
  return value < 10_000 ? value.toFixed(0) : `${(value / 1000).toFixed(1)}k`;
}

/** Three significant digits, without an exponent; an en dash for what is not known. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 4));
}
