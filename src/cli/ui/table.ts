import { stripVTControlCharacters } from 'node:util';
import { printable, type Paint } from './terminal.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string | number;
}

/** Columns as wide as their widest cell, two spaces between them; numbers stand right. Ends with a newline. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Paint,
): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const lines = [
    columns.map(({ title }) => title),
    ...cells.map((line) => line.map((cell) => printable(String(cell)))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] as string))));
  const isNumber = columns.map(
    (_, index) => cells.length > 0 && cells.every((line) => typeof line[index] === 'number'),
  );
  const padded = lines.map((line) =>
    line
      .map((text, index) => {
        const space = ' '.repeat((widths[index] as number) - widthOf(text));
        return isNumber[index] === true ? space + text : text + space;
      })
      .join('  ')
      .trimEnd(),
  );
  const [header, ...body] = padded as [string, ...string[]];
  return `${[paint('bold', header), ...body].join('\n')}\n`;
}

const graphemes = new Intl.Segmenter();

/** Columns on a terminal: one a grapheme, two for East Asian wide ones and emoji. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(stripVTControlCharacters(text))) {
    width += WIDE.test(segment) ? 2 : 1;
  }
  return width;
}

const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\uff01-\uff60])/u;
