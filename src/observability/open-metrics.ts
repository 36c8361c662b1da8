import {
  families,
  type FamilyKey,
  functionCounterCells,
  type MetricFamily,
  STAGES,
  threadCounterCells,
} from './definitions.ts';
import type { FunctionReading, HistogramReading, MetricReader } from './metric-slab.ts';

/** A number that is not in the slab: the main thread reads it when somebody asks. */
export interface Sample {
  readonly family: FamilyKey;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type MetricFormat = 'openmetrics' | 'prometheus';

export const CONTENT_TYPES: Readonly<Record<MetricFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
};

/** What a scraper gets for its Accept header: OpenMetrics when it names it, else the older text format. */
export function chooseFormat(accept: string | undefined): MetricFormat {
  const wanted = (accept ?? '').split(',').map((range) => range.trim().toLowerCase());
  const open = wanted.find((range) => range.startsWith('application/openmetrics-text'));
  return open === undefined || /;\s*q=0(\.0*)?\s*(;|$)/.test(open) ? 'prometheus' : 'openmetrics';
}

export interface MetricSources {
  readonly reader: MetricReader;
  readonly functions: readonly { readonly name: string; readonly slot: number }[];
  readonly samples: readonly Sample[];
}

/** About this much text is made at a time. */
const CHUNK_LINES = 512;

/**
 * The whole exposition (OpenMetrics 1.0, or the Prometheus text format 0.0.4), in chunks: a thousand functions are
 * megabytes of text, and whoever writes them out can do something else in between. The numbers are all read before the first chunk.
 */
export function* renderMetrics(sources: MetricSources, format: MetricFormat): Generator<string, void> {
  const out = new Exposition(format);
  const functions = sources.functions.map(({ name, slot }) => ({
    labels: pair('function', name),
    reading: sources.reader.function(slot),
  }));
  const threads = sources.reader.threads();
  const samples = Map.groupBy(sources.samples, ({ family }) => family);
  for (const [key, family] of Object.entries(families) as [FamilyKey, MetricFamily][]) {
    out.begin(family);
    for (const { labels, reading } of functions) {
      renderFunction(out, key, labels, reading);
      if (out.lines >= CHUNK_LINES) yield out.take();
    }
    threadCounterCells.forEach((cell, index) => {
      if (cell.family === key) out.sample('', threads.counters[index]);
    });
    if (key === 'rejections') {
      for (const [problem, count] of threads.rejections) {
        if (count > 0) out.sample(pair('problem', problem), count);
      }
    }
    if (key === 'stageDuration') {
      threads.stages.forEach((reading, index) =>
        out.histogram(pair('stage', STAGES[index] as string), reading),
      );
    }
    for (const { labels, value } of samples.get(key) ?? []) {
      out.sample(pairs(labels), value);
      if (out.lines >= CHUNK_LINES) yield out.take();
    }
  }
  out.end();
  if (out.lines > 0) yield out.take();
}

/** The counters of a function, by family: index of the cell and the label it adds. */
const COUNTERS = Map.groupBy(
  functionCounterCells.map(({ family, label }, index) => ({
    family,
    index,
    extra: label === undefined ? '' : `,${pair(label[0], label[1])}`,
  })),
  ({ family }) => family,
);

/** Counters of a function are there from its first moment, so that rates see the first event; histograms once it ran. */
function renderFunction(out: Exposition, key: FamilyKey, labels: string, reading: FunctionReading): void {
  if (key === 'requests') {
    for (const [code, count] of reading.codes) {
      out.sample(`${labels},${pair('code', code === 0 ? 'other' : String(code))}`, count);
    }
  } else if (key === 'requestDuration') out.histogram(labels, reading.duration);
  else if (key === 'coldStart') out.histogram(labels, reading.coldStart);
  else if (key === 'queueWait') out.histogram(labels, reading.queueWait);
  else {
    for (const { index, extra } of COUNTERS.get(key) ?? []) {
      out.sample(labels + extra, reading.counters[index]);
    }
  }
}

/** Writes families; one without samples leaves no trace. */
class Exposition {
  readonly #format: MetricFormat;
  #lines: string[] = [];
  #family: MetricFamily | null = null;
  #announced = false;

  constructor(format: MetricFormat) {
    this.#format = format;
  }

  /** Lines since the last `take`. */
  get lines(): number {
    return this.#lines.length;
  }

  take(): string {
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    return text;
  }

  begin(family: MetricFamily): void {
    this.#family = family;
    this.#announced = false;
  }

  /** `labels` as they stand between the braces. */
  sample(labels: string, value: number): void {
    const { name, type } = this.#announce();
    const suffix = type === 'counter' ? '_total' : type === 'info' ? '_info' : '';
    this.#lines.push(`${name}${suffix}${labels === '' ? '' : `{${labels}}`} ${value}`);
  }

  /** `labels` has at least one. */
  histogram(labels: string, reading: HistogramReading): void {
    if (reading.count === 0) return;
    const { name } = this.#announce();
    const open = `${name}_bucket{${labels},le="`;
    let cumulative = 0;
    for (let bucket = 0; bucket < reading.counts.length; bucket++) {
      cumulative += reading.counts[bucket];
      const bound = reading.shape.boundTexts[bucket] ?? '+Inf';
      this.#lines.push(`${open}${bound}"} ${cumulative}`);
    }
    this.#lines.push(
      `${name}_count{${labels}} ${cumulative}`,
      `${name}_sum{${labels}} ${reading.sumSeconds}`,
    );
  }

  end(): void {
    if (this.#format === 'openmetrics') this.#lines.push('# EOF');
  }

  #announce(): MetricFamily {
    const family = this.#family as MetricFamily;
    if (this.#announced) return family;
    this.#announced = true;
    // The older format names what the samples are called, and has no info type.
    const old = this.#format === 'prometheus';
    const suffix = old && family.type === 'counter' ? '_total' : old && family.type === 'info' ? '_info' : '';
    const type = old && family.type === 'info' ? 'gauge' : family.type;
    this.#lines.push(
      `# TYPE ${family.name}${suffix} ${type}`,
      `# HELP ${family.name}${suffix} ${escapeHelp(family.help)}`,
    );
    return family;
  }
}

function pairs(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => pair(name, value))
    .join(',');
}

function pair(name: string, value: string): string {
  return `${name}="${escapeLabel(value)}"`;
}

function escapeLabel(value: string): string {
  return value.replaceAll(/[\\"\n]/g, (mark) => (mark === '\n' ? '\\n' : `\\${mark}`));
}

function escapeHelp(value: string): string {
  return value.replaceAll(/[\\\n]/g, (mark) => (mark === '\n' ? '\\n' : '\\\\'));
}
