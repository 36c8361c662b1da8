/**
 * `node bench/profile.ts [seconds]`: where a request's CPU time goes. Mayfly under full load, sampled by Linux' perf with
 * the names of just-in-time compiled functions; prints self time by layer and by function,
 * and both as bars of text.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { renderFlame } from './lib/flame.ts';
import { findProgram, wrk, wrkScript } from './lib/load.ts';
import { renderTable } from './lib/markdown.ts';
import { sum } from './lib/statistics.ts';
import { buildFunction, type MayflyFunction, shopConfig, shopFolder, startMayfly } from './lib/mayfly.ts';
import { tokenOf } from './lib/tokens.ts';
import { headersWith, ORDER, PATH, prices } from './lib/workload.ts';

const seconds = Number(process.argv[2] ?? 10);
const perf = findProgram('perf');
if (perf === null) throw new Error('perf is not installed (Debian: linux-perf)');
const scratch = mkdtempSync(join(tmpdir(), 'mayfly-bench-profile-'));
// The module is built beforehand: names of the compiler's code would stick to addresses that are used again.
const folder = shopFolder(scratch);
await buildFunction(join(folder, 'function.ts'), join(folder, 'function.wasm'));
const orders = { ...(shopConfig.functions['orders'] as MayflyFunction), source: './function.wasm' };
const { server, port } = await startMayfly(
  folder,
  { ...shopConfig, functions: { orders } },
  { nodeFlags: ['--perf-basic-prof'] },
);
try {
  const token = await tokenOf('user-0');
  await server.ready(() => prices({ port, path: PATH, token }));
  const script = wrkScript(join(scratch, 'order.lua'), [
    { path: PATH, body: ORDER, headers: headersWith(token) },
  ]);
  const load = (duration: number) => wrk(port, PATH, { connections: 64, seconds: duration, script });
  await load(4);
  const data = join(scratch, 'perf.data');
  const cpuBefore = server.cpuSeconds();
  const [result] = await Promise.all([
    load(seconds),
    promisify(execFile)(perf, [
      'record',
      '-F',
      '997',
      '-o',
      data,
      '-p',
      String(server.pid),
      '--',
      'sleep',
      String(seconds),
    ]),
  ]);
  const microseconds = ((server.cpuSeconds() - cpuBefore) / result.requests) * 1e6;
  console.log(
    `${result.requestsPerSecond.toFixed(0)} requests/s, ${microseconds.toFixed(1)} µs of CPU each\n`,
  );
  const report = execFileSync(
    perf,
    ['report', '-i', data, '--stdio', '--no-children', '-g', 'none', '-F', 'overhead,dso,symbol', '-t', '\t'],
    { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const samples = report
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t').map((cell) => cell.trim()))
    .map(([share, object, symbol]) => ({
      share: Number.parseFloat(share ?? ''),
      object: object ?? '',
      symbol: symbol ?? '',
    }))
    .filter(({ share }) => Number.isFinite(share));
  // Each thread has compiled its own copy of a function: their times belong together.
  const rows = [...Map.groupBy(samples, ({ symbol }) => symbol).values()]
    .map((copies) => ({
      ...(copies[0] as (typeof samples)[0]),
      share: sum(copies.map(({ share }) => share)),
    }))
    .toSorted((a, b) => b.share - a.share);
  const layers = new Map<string, number>();
  for (const { share, object, symbol } of rows)
    layers.set(layerOf(object, symbol), (layers.get(layerOf(object, symbol)) ?? 0) + share);
  const cost = (share: number): string => `${share.toFixed(2)} %`;
  const ns = (share: number): string => ((share / 100) * microseconds * 1000).toFixed(0);
  console.log(
    renderTable({
      title: 'By layer',
      head: ['layer', 'self time', 'ns/request'],
      rows: [...layers]
        .toSorted((a, b) => b[1] - a[1])
        .map(([layer, share]) => [layer, cost(share), ns(share)]),
    }),
  );
  console.log(
    `\n${renderTable({
      title: 'By function',
      head: ['function', 'self time', 'ns/request', 'layer'],
      rows: rows
        .slice(0, 70)
        .map(({ share, object, symbol }) => [
          nameOf(symbol).replaceAll('|', '\\|'),
          cost(share),
          ns(share),
          layerOf(object, symbol),
        ]),
    })}`,
  );
  const flame = renderFlame(
    rows.map(({ share, object, symbol }) => ({
      share,
      layer: layerOf(object, symbol),
      name: nameOf(symbol),
    })),
  );
  console.log(`\n${flame}`);
} finally {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
  rmSync(`/tmp/perf-${server.pid}.map`, { force: true });
}

/** Without perf's mark and this machine's folders. */
function nameOf(symbol: string): string {
  return symbol.replace(/^\[.\] /, '').replace(/file:\S*?(src\/|assemblyscript)/, '$1');
}

/** perf marks kernel symbols with [k]; V8 marks JavaScript with JS: and tiers (* optimised, ^ and + baseline, ~ interpreted). */
function layerOf(object: string, symbol: string): string {
  if (symbol.startsWith('[k]')) return 'kernel';
  if (/JS:.*wasm/.test(symbol)) return 'WebAssembly';
  if (/JS:.*node:/.test(symbol)) return "JavaScript: Node's own";
  if (symbol.includes('JS:')) return `JavaScript: ${/src\/(\w+)/.exec(symbol)?.[1] ?? 'policy and others'}`;
  if (/Builtins_|Handler|RegExp/.test(symbol)) return 'V8 builtins';
  if (/libc|libpthread|ld-linux/.test(object)) return 'libc';
  return 'Node and V8 C++';
}
