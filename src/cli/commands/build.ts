import { type Command, Option } from 'commander';
import { MayflyError } from '../../model/errors.ts';
import type { Kind } from '../../model/function.ts';
import { defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { formatBytes } from '../ui/bytes.ts';
import { printResult } from '../ui/report.ts';
import { startSpinner } from '../ui/spinner.ts';
import { formatTable, type Column } from '../ui/table.ts';
import { paintFor } from '../ui/terminal.ts';
import { buildPods } from './build-pods.ts';

export function buildCommand(shell: Shell): Command {
  return defineCommand('build', 'Build functions to WebAssembly.', [
    ['mayfly build', 'build every function of mayfly.yaml'],
    ['mayfly build function.ts --out function.wasm', 'build one file'],
    ['mayfly build --target wasmedge --aot', 'a module that serves by itself, compiled for WasmEdge'],
  ])
    .argument('[path]', 'a source file, a folder, or a configuration file', '.')
    .option('-o, --out <file>', 'where to put the module (one function only)')
    .addOption(
      new Option('--target <target>', 'what runs it: the gateway, or WasmEdge as a pod')
        .choices(['gateway', 'wasmedge'])
        .default('gateway'),
    )
    .option('--aot', 'compile a pod ahead of time for processors of this kind (needs wasmedge)')
    .action(async (path: string, { out, target, aot }: BuildFlags) => {
      if (target === 'wasmedge') return await buildPods(shell, path, { out, aot: aot === true });
      if (aot === true) throw aotForGateway();
      await build(shell, path, out);
    });
}

interface BuildFlags {
  readonly out?: string;
  readonly target: 'gateway' | 'wasmedge';
  readonly aot?: boolean;
}

function aotForGateway(): MayflyError {
  return new MayflyError('Cannot compile ahead of time for the gateway: it compiles by itself', {
    fix: 'Leave out --aot, or add --target wasmedge.',
    code: 'usage',
    exitCode: 2,
  });
}

interface Built {
  readonly name: string;
  readonly path: string;
  readonly kind: Kind;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly cached: boolean;
  readonly warnings: readonly string[];
}

async function build({ terminal }: Shell, path: string, out: string | undefined): Promise<void> {
  const { buildFunction } = await import('../../build/build.ts');
  const { sourcesAt } = await import('../sources.ts');
  const built: Built[] = [];
  for (const { name, ...options } of sourcesAt(path, terminal.env, out)) {
    const spinner = startSpinner(terminal.err, paintFor(terminal.err, terminal.env), `building ${name}`);
    try {
      const { wasm, path: file, kind, durationMs, cached, warnings } = await buildFunction(options);
      const milliseconds = Math.round(durationMs);
      built.push({ name, path: file, kind, bytes: wasm.length, milliseconds, cached, warnings });
    } finally {
      spinner.stop();
    }
  }
  printResult(terminal, { built }, (_, paint) => {
    const warnings = built.flatMap((row) => row.warnings);
    const lines = warnings.map((text) => `${paint('yellow', 'warning')} ${text}\n`);
    return `${formatTable(columns, built, paint)}${lines.join('')}`;
  });
}

const columns: Column<Built>[] = [
  { title: 'function', cell: ({ name }) => name },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'size', cell: ({ bytes }) => formatBytes(bytes) },
  { title: 'time', cell: ({ cached, milliseconds }) => (cached ? 'unchanged' : `${milliseconds} ms`) },
  { title: 'module', cell: ({ path }) => path },
];
