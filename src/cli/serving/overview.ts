/** What a server says about itself when it has started. */
import type { Kind } from '../../model/function.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Platform } from '../../platform/platform.ts';
import { formatBytes } from '../ui/bytes.ts';
import { formatTable } from '../ui/table.ts';
import { printable, type Paint } from '../ui/terminal.ts';

export interface FunctionRow {
  readonly name: string;
  /** `POST /api/orders` */
  readonly routes: readonly string[];
  readonly kind: Kind;
  readonly bytes: number;
  readonly digest: string;
}

export interface Overview {
  readonly version: string;
  readonly pid: number;
  readonly config: string;
  readonly addresses: Platform['addresses'];
  readonly functions: readonly FunctionRow[];
  readonly start_ms: number;
  readonly warnings: readonly string[];
  /** Command lines; null where none can be told. */
  readonly try: { readonly allowed: string | null; readonly denied: string | null };
}

const DIGEST_SHOWN = 12;

export function functionRows(
  { functions, routes }: Snapshot,
  sizes: ReadonlyMap<string, number>,
): FunctionRow[] {
  return functions.map(({ name, traffic }) => {
    const newest = traffic.map(({ revision }) => revision).toSorted((a, b) => b.number - a.number)[0];
    return {
      name,
      routes: routes
        .filter((route) => route.function === name)
        .map(({ methods, host, path }) => `${methods?.join(',') ?? '*'} ${host ?? ''}${path}`),
      kind: newest?.kind ?? 'handler',
      bytes: sizes.get(name) ?? 0,
      digest: newest?.digest ?? '',
    };
  });
}

/** What is allowed, and deserves a word. */
export function overviewWarnings({ snapshot, warnings }: Pick<Platform, 'snapshot' | 'warnings'>): string[] {
  const found = [...warnings];
  if (snapshot.auth === null) found.push('Authentication is off: no secret and no key set in `security`.');
  if (snapshot.policies.length === 0) found.push('The policy is off: no files and no OPA in `policy`.');
  for (const { javascript, javascriptRefused } of snapshot.policies) {
    if (javascript !== null || javascriptRefused === null) continue;
    found.push(`The policy runs as WebAssembly, which is slower than as JavaScript: ${javascriptRefused}`);
  }
  if (snapshot.functions.length === 0) found.push('There is no function yet: `mayfly deploy NAME FILE`.');
  return found;
}

export function formatOverview(overview: Overview, paint: Paint): string {
  const { version, addresses, functions, start_ms, warnings, config } = overview;
  const lines = [
    `${paint('bold', 'Mayfly')} ${version} serves ${printable(config)}, started in ${start_ms} ms`,
    '',
    ...Object.entries(addresses)
      .filter(([, address]) => address !== null)
      .map(
        ([name, address]) =>
          `  ${name.padEnd(8)} ${paint('cyan', `${address}${name === 'metrics' ? '/metrics' : ''}`)}`,
      ),
    '',
  ];
  if (functions.length > 0) lines.push(indented(functionTable(functions, paint)));
  for (const warning of warnings) lines.push(`  ${paint('yellow', 'warning')} ${printable(warning)}`);
  if (warnings.length > 0) lines.push('');
  const { allowed, denied } = overview.try;
  if (allowed !== null) lines.push(`  Try what is ${paint('green', 'allowed')}:`, `  ${allowed}`, '');
  if (denied !== null) lines.push(`  and what is ${paint('red', 'denied')}:`, `  ${denied}`, '');
  return `${lines.join('\n')}\n`;
}

/** A function with several routes takes several lines. */
function functionTable(functions: readonly FunctionRow[], paint: Paint): string {
  const lines = functions.flatMap((row) =>
    (row.routes.length === 0 ? ['(none)'] : row.routes).map((route, index) => ({
      row,
      route,
      first: index === 0,
    })),
  );
  const onFirst = (read: (row: FunctionRow) => string) => (line: (typeof lines)[number]) =>
    line.first ? read(line.row) : '';
  const columns = [
    { title: 'function', cell: onFirst(({ name }) => name) },
    { title: 'route', cell: ({ route }: (typeof lines)[number]) => route },
    { title: 'kind', cell: onFirst(({ kind }) => kind) },
    { title: 'size', cell: onFirst(({ bytes }) => formatBytes(bytes)) },
    { title: 'digest', cell: onFirst(({ digest }) => shortDigest(digest)) },
  ];
  return formatTable(columns, lines, paint);
}

/** `sha256:0a858b64ac20…` → `0a858b64ac20`. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, DIGEST_SHOWN);
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
