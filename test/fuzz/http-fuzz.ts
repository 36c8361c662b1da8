import { Differential } from './http-differential.ts';
import { stream } from './http-generator.ts';
import { Random } from './random.ts';

/** One fuzzer: case `seed` is the same bytes, cut at the same places, every time. */
export class HttpFuzz {
  readonly differential = new Differential();

  /** What Mayfly and llhttp disagree about in this case, with its bytes; null when they agree. */
  run(seed: number): string | null {
    const { bytes, cuts } = stream(new Random(seed));
    const disagreement = this.differential.compare(bytes, cuts);
    if (disagreement === null) return null;
    return `${disagreement}\ncut at [${cuts.join(', ')}] of ${JSON.stringify(bytes.toString('latin1'))}`;
  }
}
