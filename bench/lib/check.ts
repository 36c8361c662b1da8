/** Has the gateway become slower than it was? Rates depend on the machine, so ratios are compared. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '../ratios.json');
const TOLERATED_LOSS = 0.15;

interface Ratios {
  /** Requests per second of Mayfly over those of the named server. */
  readonly mayflyTo: Readonly<Record<string, number>>;
}

/** False when the ratio to nginx fell by more than 15 %. The others are shown. */
export function checkRatios(rows: readonly unknown[], print: (line: string) => void): boolean {
  const rates = ratesOf(rows);
  const stored = JSON.parse(readFileSync(FILE, 'utf8')) as Ratios;
  const mayfly = rates.get('Mayfly') ?? 0;
  for (const [server, before] of Object.entries(stored.mayflyTo)) {
    const now = mayfly / (rates.get(server) ?? Number.NaN);
    print(
      `Mayfly / ${server}: ${now.toFixed(2)}, stored ${before.toFixed(2)} (${percent(now / before - 1)})`,
    );
  }
  const before = stored.mayflyTo['nginx'] ?? Number.NaN;
  const now = mayfly / (rates.get('nginx') ?? Number.NaN);
  if (now >= before * (1 - TOLERATED_LOSS)) return true;
  print(`Slower: Mayfly has ${now.toFixed(2)} of nginx's rate, and had ${before.toFixed(2)}.`);
  return false;
}

/** Keeps the ratios of this run, to compare later ones with. */
export function rememberRatios(rows: readonly unknown[]): void {
  const rates = ratesOf(rows);
  const mayfly = rates.get('Mayfly');
  if (mayfly === undefined) throw new Error('There is nothing to remember: the gateway was not measured');
  const others = [...rates].filter(([server]) => server !== 'Mayfly');
  const mayflyTo = Object.fromEntries(
    others.map(([server, rate]) => [server, Number((mayfly / rate).toFixed(3))]),
  );
  writeFileSync(FILE, `${JSON.stringify({ mayflyTo }, null, 2)}\n`);
}

function ratesOf(rows: readonly unknown[]): Map<string, number> {
  const typed = rows as readonly { server: string; requestsPerSecond: number }[];
  return new Map(typed.map(({ server, requestsPerSecond }) => [server, requestsPerSecond]));
}

function percent(value: number): string {
  return `${value >= 0 ? '+' : ''}${(value * 100).toFixed(0)} %`;
}
