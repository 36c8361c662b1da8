/**
 * Quantities as the API server writes them back (canonical form,
 * https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity): what we apply must equal what we read.
 */
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti'] as const;
const DECIMAL = ['', 'k', 'M', 'G', 'T'] as const;

/** Whole bytes: 67108864 → `64Mi`, 500000 → `500k`. */
export function memoryQuantity(bytes: number): string {
  return bytes % 1024 === 0 ? scaled(bytes, 1024, BINARY) : scaled(bytes, 1000, DECIMAL);
}

/** Thousandths of a core: 100 → `100m`, 2000 → `2`. */
export function cpuQuantity(millicores: number): string {
  return millicores % 1000 === 0 ? scaled(millicores / 1000, 1000, DECIMAL) : `${millicores}m`;
}

function scaled(value: number, base: number, suffixes: readonly string[]): string {
  let rest = value;
  let step = 0;
  while (rest > 0 && rest % base === 0 && step < suffixes.length - 1) {
    rest /= base;
    step++;
  }
  return `${rest}${suffixes[step]}`;
}
