import { join } from 'node:path';
import type { Command } from 'commander';
import { PLATFORMS } from '../../artifacts/oci/image.ts';
import { MayflyError } from '../../model/errors.ts';
import { collect } from '../define.ts';
import { defineImageCommand, type RegistryFlags, registryOptions } from '../images/options.ts';
import type { Shell } from '../shell.ts';
import { formatBytes } from '../ui/bytes.ts';
import { printResult } from '../ui/report.ts';
import { startSpinner } from '../ui/spinner.ts';
import { paintFor } from '../ui/terminal.ts';

interface BuildFlags extends RegistryFlags {
  readonly output?: string;
  readonly tag: string;
  readonly function?: string;
  readonly pod?: string | false;
  readonly aot: readonly string[];
  readonly annotation: readonly string[];
  readonly attest: boolean;
}

export function imageBuildCommand(shell: Shell): Command {
  return defineImageCommand(
    'build',
    'Build the image of a function: for containers and for the gateway in one.',
    [
      ['mayfly image build', 'the function of this folder, to .mayfly/images/NAME'],
      ['mayfly image build orders.wasm -o registry.example.com/shop/orders:1.0', 'and push it at once'],
      [
        'mayfly image build . -o ./orders.tar --annotation org.opencontainers.image.version=1.0',
        'an archive',
      ],
    ],
  )
    .argument('[path]', 'a .wasm, a source file, a folder, or a configuration file', '.')
    .option(
      '-o, --output <image>',
      'a ./folder, a ./file.tar, or a name in a registry (default: ./.mayfly/images/NAME)',
    )
    .option('--tag <tag>', 'its tag, where the output names none', 'latest')
    .option('--function <name>', 'which function, when the configuration has several')
    .option('--pod <file>', 'the module that serves by itself, when it was built elsewhere')
    .option('--no-pod', 'for the gateway only')
    .option('--aot <platform=file>', `a compiled pod for ${PLATFORMS.join(', ')}; repeatable`, collect, [])
    .option('--annotation <name=value>', 'something to say about it; repeatable', collect, [])
    .option('--no-attest', 'leave out the bill of materials and the provenance')
    .action((path: string, flags: BuildFlags) => build(shell, path, flags));
}

async function build(shell: Shell, path: string, flags: BuildFlags): Promise<void> {
  const { terminal } = shell;
  const { assembleImage, sourceDate } = await import('../images/build-image.ts');
  const { buildModules, splitPair } = await import('../images/modules.ts');
  const { inspectImage } = await import('../../artifacts/oci/inspect.ts');
  const { isTag } = await import('../../artifacts/oci/reference.ts');
  const { openLocation, parseLocation, targetTag } = await import('../../artifacts/oci/location.ts');
  const annotations = Object.fromEntries(flags.annotation.map((pair) => splitPair(pair, '--annotation')));
  const created = sourceDate(terminal.env);
  const spinner = startSpinner(terminal.err, paintFor(terminal.err, terminal.env), `building ${path}`);
  try {
    const modules = await buildModules({ ...flags, path, compiled: flags.aot }, terminal.env);
    const output = flags.output ?? `./${join('.mayfly', 'images', modules.name)}`;
    const location = parseLocation(output);
    const tag = targetTag(location) ?? flags.tag;
    if (!isTag(tag)) throw new MayflyError('The tag is not one', { where: tag, exitCode: 2, code: 'usage' });
    const { content, root } = assembleImage({ ...modules, created, annotations, attest: flags.attest });
    spinner.update(`writing ${output}`);
    const repository = await openLocation(location, registryOptions(shell, flags));
    await content.writeTo(repository, root.digest, tag);
    const { bytes, parts } = await inspectImage(repository, root.digest);
    spinner.stop();
    const result = { image: repository.label, tag, digest: root.digest, bytes, parts };
    printResult(terminal, result, (_, paint) => {
      const sizes = parts.map((part) => `${part.platform} ${formatBytes(part.bytes)}`).join(', ');
      return `${paint('green', 'ok')} ${output}, tag ${tag}, ${formatBytes(bytes)}\n  ${sizes}\n  ${root.digest}\n`;
    });
  } finally {
    spinner.stop();
  }
}
