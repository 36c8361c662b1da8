/** Where time goes, as bars of text: the whole, its layers, and in each layer the functions that count. */
import { sum } from './statistics.ts';

export interface Sample {
  readonly layer: string;
  readonly name: string;
  /** Self time in percent of the whole. */
  readonly share: number;
}

const WIDTH = 50;
/** Functions below this share, in percent, are not named: there are hundreds. */
const LEAST_SHARE = 0.5;

export function renderFlame(samples: readonly Sample[]): string {
  const layers = [...Map.groupBy(samples, ({ layer }) => layer)]
    .map(([layer, functions]) => ({ layer, functions, share: shareOf(functions) }))
    .toSorted((a, b) => b.share - a.share);
  return [
    line(0, 'a request', shareOf(samples)),
    ...layers.flatMap(({ layer, functions, share }) => [
      line(1, layer, share),
      ...functions
        .filter((one) => one.share >= LEAST_SHARE)
        .toSorted((a, b) => b.share - a.share)
        .map((one) => line(2, one.name, one.share)),
    ]),
  ].join('\n');
}

function shareOf(samples: readonly Sample[]): number {
  return sum(samples.map(({ share }) => share));
}

function line(depth: number, name: string, share: number): string {
  const bar = '█'.repeat(Math.max(1, Math.round((share / 100) * WIDTH)));
  return `${share.toFixed(1).padStart(5)} %  ${'  '.repeat(depth)}${name}  ${bar}`;
}
