/** A question is one file under questions/: what is measured, and what came out, in a form that can be printed and plotted. */
import type { Chart } from './chart.ts';
import type { Table } from './markdown.ts';

export interface RunOptions {
  /** Shorter and noisier: to see that it works and roughly where things are. */
  readonly quick: boolean;
  /** A folder for whatever the question needs; deleted afterwards. */
  readonly scratch: string;
  /** Progress for people, on stderr. */
  readonly say: (line: string) => void;
}

/** A figure that was promised, beside what came out. */
export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
  readonly met: boolean;
  /** How far off, where it was missed: `18 %`. */
  readonly missedBy?: string;
}

export interface Answer {
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  readonly targets: readonly Target[];
  /** Tables that come ready made. */
  readonly markdown?: string;
  /** Raw figures, as they go to bench/results/. */
  readonly raw: unknown;
  /** What `--json` prints: rows by server. */
  readonly rows?: readonly unknown[];
}

export interface Question {
  readonly name: string;
  readonly title: string;
  /** What the figures mean and how they come about; Markdown. */
  readonly meaning: string;
  run(options: RunOptions): Promise<Answer>;
}

/** At least `wanted`. */
export function atLeast(what: string, wanted: number, got: number, show: (value: number) => string): Target {
  const met = got >= wanted;
  const missedBy = `${((1 - got / wanted) * 100).toFixed(0)} %`;
  return { what, wanted: `≥ ${show(wanted)}`, got: show(got), met, ...(!met && { missedBy }) };
}

/** At most `wanted`. */
export function atMost(what: string, wanted: number, got: number, show: (value: number) => string): Target {
  const met = got <= wanted;
  const missedBy = `${((got / wanted - 1) * 100).toFixed(0)} %`;
  return { what, wanted: `≤ ${show(wanted)}`, got: show(got), met, ...(!met && { missedBy }) };
}
