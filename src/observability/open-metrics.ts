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

/** The whole exposition (OpenMetrics 1.0, or the Prometheus text format 0.0.4). */
export function renderMetrics(sources: MetricSources, format: MetricFormat): string {
  const out = new Exposition(format);
  const readings = sources.functions.map(({ name, slot }) => ({
    name,
    reading: sources.reader.function(slot),
  }));
  const threads = sources.reader.threads();
  for (const [key, family] of Object.entries(families) as [FamilyKey, MetricFamily][]) {
    out.begin(family);
    for (const { name, reading } of readings) renderFunction(out, key, name, reading);
    threadCounterCells.forEach((cell, index) => {
      if (cell.family === key) out.sample({}, threads.counters[index]);
    });
    if (key === 'rejections') {
      for (const [problem, count] of threads.rejections) if (count > 0) out.sample({ problem }, count);
    }
    if (key === 'stageDuration') {
      threads.stages.forEach((reading, index) => out.histogram({ stage: STAGES[index] as string }, reading));
    }
    for (const sample of sources.samples) if (sample.family === key) out.sample(sample.labels, sample.value);
  }
  return out.end();
}

/** Counters of a function are there from its first moment, so that rates see the first event; histograms once it ran. */
function renderFunction(out: Exposition, key: FamilyKey, name: string, reading: FunctionReading): void {
  if (key === 'requests') {
    for (const [code, count] of reading.codes) {
      out.sample({ function: name, code: code === 0 ? 'other' : String(code) }, count);
    }
  } else if (key === 'requestDuration') out.histogram({ function: name }, reading.duration);
  else if (key === 'coldStart') out.histogram({ function: name }, reading.coldStart);
  else if (key === 'queueWait') out.histogram({ function: name }, reading.queueWait);
  else {
    functionCounterCells.forEach((cell, index) => {
      if (cell.family !== key) return;
      const extra = cell.label === undefined ? {} : { [cell.label[0]]: cell.label[1] };
      out.sample({ function: name, ...extra }, reading.counters[index]);
    });
  }
}

/** Writes families; one without samples leaves no trace. */
class Exposition {
  readonly #format: MetricFormat;
  readonly #lines: string[] = [];
  #family: MetricFamily | null = null;
  #announced = false;

  constructor(format: MetricFormat) {
    this.#format = format;
  }

  begin(family: MetricFamily): void {
    this.#family = family;
    this.#announced = false;
  }

  sample(labels: Readonly<Record<string, string>>, value: number): void {
    const { name, type } = this.#announce();
    const suffix = type === 'counter' ? '_total' : type === 'info' ? '_info' : '';
    this.#lines.push(`${name}${suffix}${labelSet(labels)} ${value}`);
  }

  /** `labels` has at least one. */
  histogram(labels: Readonly<Record<string, string>>, reading: HistogramReading): void {
    if (reading.count === 0) return;
    const { name } = this.#announce();
    const set = labelSet(labels);
    const open = `${name}_bucket${set.slice(0, -1)},le="`;
    let cumulative = 0;
    for (let bucket = 0; bucket < reading.counts.length; bucket++) {
      cumulative += reading.counts[bucket];
      const bound = reading.shape.boundTexts[bucket] ?? '+Inf';
      this.#lines.push(`${open}${bound}"} ${cumulative}`);
    }
    this.#lines.push(`${name}_count${set} ${cumulative}`, `${name}_sum${set} ${reading.sumSeconds}`);
  }

  end(): string {
    if (this.#format === 'openmetrics') this.#lines.push('# EOF');
    return `${this.#lines.join('\n')}\n`;
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

function labelSet(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll(/[\\"\n]/g, (mark) => (mark === '\n' ? '\\n' : `\\${mark}`));
}

function escapeHelp(value: string): string {
  return value.replaceAll(/[\\\n]/g, (mark) => (mark === '\n' ? '\\n' : '\\\\'));
}
