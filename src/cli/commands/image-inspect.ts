import type { Command } from 'commander';
import type { ImagePart, ImageReport } from '../../artifacts/oci/inspect.ts';
import { defineImageCommand, type RegistryFlags, registryOptions } from '../images/options.ts';
import { shortDigest } from '../serving/overview.ts';
import type { Shell } from '../shell.ts';
import { formatBytes } from '../ui/bytes.ts';
import { printResult } from '../ui/report.ts';
import { type Column, formatTable } from '../ui/table.ts';
import { type Paint, printable } from '../ui/terminal.ts';

export function imageInspectCommand(shell: Shell): Command {
  return defineImageCommand('inspect', 'Show what is in an image: platforms, sizes, digests, signatures.', [
    ['mayfly image inspect ./.mayfly/images/orders', 'a folder'],
    ['mayfly image inspect registry.example.com/shop/orders:1.0 --json', 'in a registry, for programs'],
  ])
    .argument('<image>', 'a ./folder, a ./file.tar, or a name in a registry')
    .action(async (image: string, flags: RegistryFlags) => {
      const { inspectImage } = await import('../../artifacts/oci/inspect.ts');
      const { openLocation, parseLocation, wanted } = await import('../../artifacts/oci/location.ts');
      const location = parseLocation(image);
      const repository = await openLocation(location, registryOptions(shell, flags));
      printResult(shell.terminal, await inspectImage(repository, wanted(location)), format);
    });
}

function format(report: ImageReport, paint: Paint): string {
  const { name, digest, bytes, annotations, attached, signatures } = report;
  const said = Object.entries(annotations).map(([key, value]) => `  ${key} = ${value}`);
  const others = attached.map(
    (item) => `  ${item.type}, ${formatBytes(item.bytes)}, ${shortDigest(item.digest)}`,
  );
  const signed = signatures.map(
    (item) =>
      `  signed as ${item.identity || '(no name)'}${item.digest === digest ? '' : ', but not this image'}`,
  );
  const lines = [`${name}@${digest}`, `${formatBytes(bytes)} in all`, ...said, ...others, ...signed];
  if (signatures.length === 0) lines.push('  not signed');
  return `${lines.map(printable).join('\n')}\n\n${formatTable(columns, report.parts, paint)}`;
}

const columns: Column<ImagePart>[] = [
  { title: 'platform', cell: ({ platform }) => platform },
  { title: 'size', cell: ({ bytes }) => formatBytes(bytes) },
  { title: 'digest', cell: ({ digest }) => shortDigest(digest) },
  { title: 'layers', cell: ({ layers }) => layers.length },
  { title: 'entrypoint', cell: ({ entrypoint }) => entrypoint?.join(' ') ?? '-' },
  { title: 'user', cell: ({ user }) => user ?? '-' },
];
