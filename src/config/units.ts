/**
 * Durations, sizes and CPU shares as people write them, read exactly: a value that is not a whole number of its
 * base unit is refused, never rounded. Each parser answers `{ value }` or `{ problem }`; the problem completes the
 * sentence "<key> …" and never repeats the input, because that may be a secret put in the wrong place.
 */
export type Parsed = { readonly value: number } | { readonly problem: string };

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `250ms`, `30s`, `5m`, `1h30m`, `1.5s`, `1d` → milliseconds. Units go from large to small, each at most once. */
export function parseDuration(text: string): Parsed {
  if (text === '0') return { value: 0 };
  if (/^\d+(\.\d+)?$/.test(text)) return { problem: 'needs a unit' };
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return { problem: 'is not a duration' };
  let total = 0;
  let previous = Infinity;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    const scale = MILLISECONDS[unit as string] as number;
    if (scale >= previous) return { problem: 'has its units out of order' };
    previous = scale;
    const part = exactProduct(number as string, scale);
    if (part === null) return { problem: 'is not a whole number of milliseconds' };
    total += part;
  }
  return Number.isSafeInteger(total) ? { value: total } : { problem: 'is too large' };
}

/** `64Mi`, `1.5Gi`, `500k`, `1024` → bytes (Kubernetes' suffixes: k M G T are powers of 1000, Ki Mi Gi Ti of 1024). */
export function parseQuantity(text: string): Parsed {
  const match = /^(\d+(?:\.\d+)?)([kMGT]|[KMGT]i)?$/.exec(text);
  if (match === null) return { problem: 'is not a size' };
  const bytes = exactProduct(match[1] as string, BYTES[match[2] ?? ''] as number);
  if (bytes === null) return { problem: 'is not a whole number of bytes' };
  return Number.isSafeInteger(bytes) ? { value: bytes } : { problem: 'is too large' };
}

/** `100m`, `0.5`, `2` → thousandths of a core. */
export function parseCpu(text: string): Parsed {
  const match = /^(?:(\d+)m|(\d+(?:\.\d+)?))$/.exec(text);
  if (match === null) return { problem: 'is not a CPU share' };
  const milli = match[1] === undefined ? exactProduct(match[2] as string, 1000) : Number(match[1]);
  if (milli === null) return { problem: 'is finer than a thousandth of a core' };
  return Number.isSafeInteger(milli) ? { value: milli } : { problem: 'is too large' };
}

/** `1%`, `0.5%` → a share of 1, 0.01 and 0.005. */
export function parseShare(text: string): Parsed {
  if (/^\d+(\.\d+)?$/.test(text)) return { problem: 'needs a %' };
  const match = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text);
  return match === null ? { problem: 'is not a share' } : { value: Number(match[1]) / 100 };
}

/** Decimal text × integer without rounding, null when the product is not whole. */
function exactProduct(decimal: string, scale: number): number | null {
  const [whole, fraction = ''] = decimal.split('.') as [string, string?];
  const divisor = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * BigInt(scale);
  return product % divisor === 0n ? Number(product / divisor) : null;
}

/** The shortest exact spelling of milliseconds, for messages and documents: 5400000 → `1h30m`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  let rest = milliseconds;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const scale = MILLISECONDS[unit] as number;
    const count = Math.floor(rest / scale);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * scale;
  }
  return text;
}

/** 0.005 → `0.5%` */
export function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(6))}%`;
}

/** The shortest exact spelling of bytes with a binary suffix: 67108864 → `64Mi`. */
export function formatQuantity(bytes: number): string {
  for (const unit of ['Ti', 'Gi', 'Mi', 'Ki'] as const) {
    const scale = BYTES[unit] as number;
    if (bytes >= scale && bytes % scale === 0) return `${bytes / scale}${unit}`;
  }
  return String(bytes);
}
