/** Each value moves the median by this factor, up or down: a tenth is settled within some thirty values from anywhere near. */
const STEP = 1.1;
const LEAST = 0.001;

/**
 * About the median of the values so far, the recent ones most (in the manner of Ma, Muthukrishnan, Sandler: "Frugal
 * Streaming for Estimating Quantiles", 2013). An outlier counts like any other value that is larger, however large it is:
 * a pause of the thread does not make a quick function look slow.
 */
export class RunningMedian {
  value: number;

  constructor(start: number) {
    this.value = start;
  }

  add(value: number): void {
    if (value > this.value) this.value *= STEP;
    else if (this.value > LEAST) this.value /= STEP;
  }
}
