import type { Command } from 'commander';
import type { Location } from '../../artifacts/oci/location.ts';
import { defineImageCommand, type RegistryFlags, registryOptions } from '../images/options.ts';
import type { Shell } from '../shell.ts';
import { formatBytes } from '../ui/bytes.ts';
import { printResult } from '../ui/report.ts';
import { startSpinner } from '../ui/spinner.ts';
import { paintFor } from '../ui/terminal.ts';

export function imagePushCommand(shell: Shell): Command {
  return defineImageCommand(
    'push',
    'Bring an image to a registry, with its signatures and what is attached.',
    [
      ['mayfly image push ./.mayfly/images/orders registry.example.com/shop/orders:1.0', 'from a folder'],
      [
        'mayfly image push ./orders.tar localhost:5000/orders:1.0',
        'from an archive; docker save writes such too',
      ],
      [
        'mayfly image push registry.example.com/test/orders:1.0 registry.example.com/shop/orders:1.0',
        'promote',
      ],
    ],
  )
    .argument('<source>', 'a ./folder, a ./file.tar, or a name in a registry')
    .argument('<target>', 'a name in a registry')
    .action((source: string, target: string, flags: RegistryFlags) => copy(shell, source, target, flags));
}

export function imagePullCommand(shell: Shell): Command {
  return defineImageCommand(
    'pull',
    'Fetch an image from a registry, with its signatures and what is attached.',
    [
      ['mayfly image pull registry.example.com/shop/orders:1.0 ./orders', 'to an OCI layout folder'],
      [
        'mayfly image pull registry.example.com/shop/orders:1.0 ./orders.tar',
        'to an archive for docker load',
      ],
    ],
  )
    .argument('<source>', 'a name in a registry')
    .argument('<target>', 'a ./folder or a ./file.tar')
    .action((source: string, target: string, flags: RegistryFlags) => copy(shell, source, target, flags));
}

async function copy(shell: Shell, source: string, target: string, flags: RegistryFlags): Promise<void> {
  const { terminal } = shell;
  const { copyImage } = await import('../../artifacts/oci/copy.ts');
  const { openLocation, parseLocation, targetTag, wanted } = await import('../../artifacts/oci/location.ts');
  const [from, to] = [parseLocation(source), parseLocation(target)];
  const options = registryOptions(shell, flags);
  const tag = targetTag(to) ?? tagOf(from) ?? 'latest';
  const spinner = startSpinner(terminal.err, paintFor(terminal.err, terminal.env), `copying to ${target}`);
  try {
    const repository = await openLocation(to, { ...options, mountFrom: neighbour(from, to) });
    const reference = wanted(from) ?? (from.type === 'registry' ? 'latest' : null);
    const report = await copyImage(await openLocation(from, options), repository, { reference, tag });
    await repository.finish();
    spinner.stop();
    printResult(terminal, { image: repository.label, tag, ...report }, (_, paint) => {
      const sent =
        report.blobs === 0 ? 'all of it was there' : `${report.blobs} blobs, ${formatBytes(report.bytes)}`;
      return `${paint('green', 'ok')} ${repository.label}:${tag} (${sent})\n  ${report.digest}\n`;
    });
  } finally {
    spinner.stop();
  }
}

function tagOf(location: Location): string | null {
  const tag = location.type === 'registry' ? location.reference.tag : location.reference;
  return tag === null || tag.includes(':') ? null : tag;
}

/** The repository that blobs can be mounted from. */
function neighbour(from: Location, to: Location): string | null {
  if (from.type !== 'registry' || to.type !== 'registry') return null;
  return from.reference.registry === to.reference.registry ? from.reference.repository : null;
}
