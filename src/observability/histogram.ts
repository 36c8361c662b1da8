/**
 * Histograms with buckets at powers of two and their midpoints (1, 1.5, 2, 3, 4, 6 …): the bucket of a value is found by
 * counting leading zeros, and the relative error of a quantile stays below 50 % everywhere, below 25 % on average.
 * A bucket holds what is greater than the bound before and up to its own, as Prometheus wants it (`le`).
 */
export interface HistogramShape {
  /** The lowest bound is two units. */
  readonly unitMicroseconds: number;
  /** Upper bounds in seconds, ascending, without +Inf. */
  readonly bounds: readonly number[];
  /** The bounds as label values. */
  readonly boundTexts: readonly string[];
  /** Cells in a slab: one per bound, one for what is above all, one for the sum in microseconds. */
  readonly cells: number;
}

function histogramShape(unitMicroseconds: number, octaves: number): HistogramShape {
  const bounds: number[] = [];
  for (let octave = 0; octave <= octaves; octave++) {
    bounds.push((2 * unitMicroseconds * 2 ** octave) / 1e6);
    if (octave < octaves) bounds.push((3 * unitMicroseconds * 2 ** octave) / 1e6);
  }
  return { unitMicroseconds, bounds, boundTexts: bounds.map(boundText), cells: bounds.length + 2 };
}

/** OpenMetrics wants floats in `le`: 1.0 and not 1; twelve digits hide what binary fractions add. */
function boundText(seconds: number): string {
  const text = String(Number(seconds.toPrecision(12)));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** 4 µs to 33.6 s. */
export const requestShape = histogramShape(2, 23);
/** 125 ns to 8.4 s. */
export const stageShape = histogramShape(1 / 16, 26);

/** Counts one value in the histogram whose cells start at `at`. */
export function observe(cells: Float64Array, at: number, shape: HistogramShape, microseconds: number): void {
  const overflow = shape.cells - 2;
  const units = Math.ceil(microseconds / shape.unitMicroseconds) - 1;
  let bucket = overflow;
  if (units < 2) bucket = 0;
  else if (units < 0x40000000) {
    const exponent = 31 - Math.clz32(units);
    bucket = Math.min(overflow, 2 * exponent - 1 + ((units >>> (exponent - 1)) & 1));
  }
  cells[at + bucket]++;
  cells[at + overflow + 1] += microseconds;
}
