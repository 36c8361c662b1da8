import type { Command } from 'commander';
import { MayflyError } from '../../model/errors.ts';
import { collect, defineCommand } from '../define.ts';
import { defineImageCommand, readText, type RegistryFlags, registryOptions } from '../images/options.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';

export function imageSignCommand(shell: Shell): Command {
  return defineImageCommand('sign', 'Sign an image with a key, as cosign does.', [
    [
      'mayfly image sign registry.example.com/shop/orders:1.0 --key cosign.key',
      'COSIGN_PASSWORD opens the key',
    ],
    ['mayfly image sign ./.mayfly/images/orders --key key.pem', 'a folder; the signature is pushed with it'],
  ])
    .argument('<image>', 'a ./folder, a ./file.tar, or a name in a registry')
    .requiredOption('--key <file>', "private key: PEM, or cosign's encrypted file")
    .action((image: string, flags: RegistryFlags & { key: string }) => sign(shell, image, flags));
}

export function imageVerifyCommand(shell: Shell): Command {
  return defineImageCommand(
    'verify',
    'Check that an image was signed with a key; exit code 1 when it was not.',
    [
      [
        'mayfly image verify registry.example.com/shop/orders:1.0 --key cosign.pub',
        "cosign's signatures too",
      ],
    ],
  )
    .argument('<image>', 'a ./folder, a ./file.tar, or a name in a registry')
    .requiredOption('--key <file>', 'public key in PEM; repeatable, one of them is enough', collect, [])
    .action((image: string, flags: RegistryFlags & { key: string[] }) => verify(shell, image, flags));
}

export function imageKeygenCommand(shell: Shell): Command {
  return defineCommand('keygen', 'Make a pair of keys for signing, in the files that cosign uses.', [
    ['mayfly image keygen', 'writes cosign.key and cosign.pub'],
  ])
    .option('--prefix <path>', 'beginning of the names of both files', 'cosign')
    .action(({ prefix }: { prefix: string }) => keygen(shell, prefix));
}

async function sign(shell: Shell, image: string, flags: RegistryFlags & { key: string }): Promise<void> {
  const { createPublicKey } = await import('node:crypto');
  const { readPrivateKey } = await import('../../artifacts/oci/signing/keys.ts');
  const { signImage } = await import('../../artifacts/oci/signing/signatures.ts');
  const { askPassword } = await import('../images/password.ts');
  const privateKey = await readPrivateKey(readText(flags.key), flags.key, () =>
    askPassword(shell, `Password of ${flags.key}: `),
  );
  const { repository, digest, isRegistry } = await open(shell, image, flags);
  const created = await signImage(repository, {
    digest,
    identity: isRegistry ? repository.label : '',
    privateKey,
    publicKey: createPublicKey(privateKey),
  });
  printResult(shell.terminal, { image: repository.label, digest, created }, (_, paint) => {
    const what = created ? 'is signed' : 'was signed with this key before';
    return `${paint('green', 'ok')} ${repository.label}@${digest} ${what}.\n`;
  });
}

async function verify(shell: Shell, image: string, flags: RegistryFlags & { key: string[] }): Promise<void> {
  const { readPublicKey } = await import('../../artifacts/oci/signing/keys.ts');
  const { judge, readSignatures } = await import('../../artifacts/oci/signing/signatures.ts');
  const keys = flags.key.map((file) => readPublicKey(readText(file), file));
  const { repository, digest } = await open(shell, image, flags);
  const verdict = judge(await readSignatures(repository, digest), digest, keys);
  const where = `${repository.label}@${digest}`;
  if (!verdict.ok)
    throw new MayflyError(`Cannot trust the image: ${verdict.reason}`, { where, code: 'not-trusted' });
  const { identity } = verdict.claim;
  const key = flags.key[verdict.key] as string;
  printResult(shell.terminal, { image: repository.label, digest, key, identity }, (_, paint) => {
    const name = identity === '' ? '' : `, as ${identity}`;
    return `${paint('green', 'ok')} ${where} was signed with ${key}${name}.\n`;
  });
}

async function open(shell: Shell, image: string, flags: RegistryFlags) {
  const { openLocation, parseLocation, wanted } = await import('../../artifacts/oci/location.ts');
  const { requireImage } = await import('../../artifacts/oci/repository.ts');
  const location = parseLocation(image);
  const repository = await openLocation(location, registryOptions(shell, flags));
  const { digest } = await requireImage(repository, wanted(location));
  return { repository, digest, isRegistry: location.type === 'registry' };
}

async function keygen(shell: Shell, prefix: string): Promise<void> {
  const { generateKeys } = await import('../../artifacts/oci/signing/keys.ts');
  const { writeNew } = await import('../images/write-new.ts');
  const { askPassword } = await import('../images/password.ts');
  const files = { private: `${prefix}.key`, public: `${prefix}.pub` };
  const keys = generateKeys(await askPassword(shell, `Password for ${files.private}: `));
  writeNew(files.private, keys.privateKey, 0o600);
  writeNew(files.public, keys.publicKey, 0o644);
  printResult(
    shell.terminal,
    files,
    (_, paint) =>
      `${paint('green', 'ok')} ${files.private} signs and stays secret; ${files.public} verifies.\n`,
  );
}
