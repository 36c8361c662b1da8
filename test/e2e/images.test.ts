/** Images from the command line to a real registry and back, read by others' tools, signed by us and by cosign, served. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering } from '../support/answering.ts';
import { mayfly, mayflyJson, type Place } from '../support/in-process-cli.ts';
import { moduleOf } from '../support/control.ts';
import { makeTestFolder } from '../support/folder.ts';
import { needPart } from '../support/parts.ts';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';
import { runTool, startRealRegistry } from '../support/real-registry.ts';

interface Built {
  readonly digest: string;
  readonly bytes: number;
  readonly parts: readonly {
    readonly platform: string;
    readonly digest: string;
    readonly layers: readonly { readonly digest: string }[];
  }[];
}

const COSIGN = { COSIGN_PASSWORD: 'correct horse' };

/** A function, a module that stands for its pod, and nobody signed in. */
async function makeProject(text: string) {
  const folder = makeTestFolder({
    'orders.wasm': await answering(text),
    'pod.wasm': moduleOf(`pod ${text}`),
  });
  const options: Place = {
    cwd: folder.path,
    env: { HOME: folder.path, DOCKER_CONFIG: folder.path, ...COSIGN },
  };
  const build = (output: string, ...more: string[]) =>
    mayflyJson<Built>(['image', 'build', 'orders.wasm', '--pod', 'pod.wasm', '-o', output, ...more], options);
  return { folder, options, build, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test('built twice, the same digest; small, and the same wherever it goes', async (t) => {
  const registryPart = await needPart(t, 'registry');
  if (registryPart === undefined) return;
  await using registry = await startRealRegistry(registryPart.paths.registry);
  using project = await makeProject('hello');
  const { build, options } = project;
  const built = await build('./one');
  assert.equal((await build('./two')).digest, built.digest);
  assert.equal((await build('./three.tar')).digest, built.digest);
  assert.equal((await build(`${registry.host}/direct:1.0`)).digest, built.digest);
  assert.ok(built.bytes < 16_384, `${built.bytes} bytes`);
  const dated = await mayflyJson<Built>(
    ['image', 'build', 'orders.wasm', '--pod', 'pod.wasm', '-o', './dated'],
    {
      ...options,
      env: { ...options.env, SOURCE_DATE_EPOCH: '1700000000' },
    },
  );
  assert.notEqual(dated.digest, built.digest);

  const name = `${registry.host}/shop/orders:1.0`;
  const pushed = await mayflyJson<{ digest: string; blobs: number; attached: number }>(
    ['image', 'push', './one', name],
    options,
  );
  assert.deepEqual(
    { digest: pushed.digest, attached: pushed.attached },
    { digest: built.digest, attached: 2 },
  );
  assert.equal((await mayflyJson<{ blobs: number }>(['image', 'push', './one', name], options)).blobs, 0);
  for (const target of ['./back', './back.tar']) {
    const pulled = await mayflyJson<{ digest: string; attached: number }>(
      ['image', 'pull', name, target],
      options,
    );
    assert.deepEqual(
      { digest: pulled.digest, attached: pulled.attached },
      { digest: built.digest, attached: 2 },
    );
    const report = await mayflyJson<Built & { attached: { type: string }[] }>(
      ['image', 'inspect', target],
      options,
    );
    assert.deepEqual(report.parts, built.parts);
    assert.deepEqual(
      report.attached.map(({ type }) => type),
      ['application/vnd.cyclonedx+json', 'application/vnd.in-toto+json'],
    );
  }
  const promoted = `${registry.host}/live/orders:1.0`;
  assert.equal((await mayflyJson<Built>(['image', 'push', name, promoted], options)).digest, built.digest);
});

test('a function alone is linked into its pod, or kept for the gateway', async () => {
  using project = await makeProject('hello');
  const { options } = project;
  const built = await mayflyJson<Built>(['image', 'build', 'orders.wasm', '-o', './linked'], options);
  assert.ok(built.bytes < 100_000, `${built.bytes} bytes`);
  const pod = await mayflyJson<{ built: { path: string }[] }>(
    ['build', 'orders.wasm', '--target', 'wasmedge', '--out', 'app.wasm'],
    options,
  );
  assert.equal(pod.built.length, 1);
  const given = ['image', 'build', 'orders.wasm', '-o', './given', '--pod', 'app.wasm'];
  assert.equal((await mayflyJson<Built>(given, options)).digest, built.digest);
  const alone = await mayflyJson<Built>(['image', 'build', 'app.wasm', '-o', './alone'], options);
  assert.deepEqual(
    alone.parts.map(({ platform }) => platform),
    ['linux/amd64', 'linux/arm64', 'wasi/wasm'],
  );
  assert.equal(alone.parts[0]?.layers[0]?.digest, built.parts[0]?.layers[0]?.digest);
  const gateway = ['image', 'build', 'orders.wasm', '-o', './gateway', '--no-pod'];
  assert.deepEqual(
    (await mayflyJson<Built>(gateway, options)).parts.map(({ platform }) => platform),
    ['function'],
  );
});

test('crane and skopeo read what we write, and we what they write', async (t) => {
  const [registryPart, crane, skopeo] = [
    await needPart(t, 'registry'),
    await needPart(t, 'crane'),
    await needPart(t, 'skopeo'),
  ];
  if (registryPart === undefined || crane === undefined || skopeo === undefined) return;
  await using registry = await startRealRegistry(registryPart.paths.registry);
  using project = await makeProject('hello');
  const { build, options, folder } = project;
  const name = `${registry.host}/shop/orders:1.0`;
  const built = await build(name);
  const run = async (program: string, ...args: string[]) => {
    const { code, out } = await runTool(program, args, { HOME: folder.path }, folder.path);
    assert.equal(code, 0, `${args.join(' ')}: ${out}`);
    return out;
  };
  const { crane: craneProgram } = crane.paths;
  assert.equal((await run(craneProgram, 'digest', name)).trim(), built.digest);
  await run(craneProgram, 'validate', '--remote', name);
  for (const platform of ['linux/amd64', 'linux/arm64', 'wasi/wasm']) {
    await run(craneProgram, 'validate', '--remote', name, '--platform', platform);
  }
  assert.match(await run(craneProgram, 'export', '--platform', 'linux/amd64', name, '-'), /pod hello/);
  assert.deepEqual(
    (JSON.parse(await run(craneProgram, 'config', '--platform', 'linux/amd64', name)) as { config: object })
      .config,
    {
      User: '65534:65534',
      ExposedPorts: { '8080/tcp': {} },
      Entrypoint: ['/app.wasm'],
      WorkingDir: '/',
      Labels: {
        'module.wasm.image/variant': 'compat-smart',
        'run.oci.handler': 'wasm',
        'org.opencontainers.image.created': '1970-01-01T00:00:00Z',
        'org.opencontainers.image.title': 'orders',
      },
    },
  );

  const { skopeo: skopeoProgram } = skopeo.paths;
  const policy = ['--insecure-policy'];
  const plain = ['--src-tls-verify=false'];
  await run(skopeoProgram, ...policy, 'copy', '--all', ...plain, `docker://${name}`, 'oci:theirs:1.0');
  assert.equal((await mayflyJson<Built>(['image', 'inspect', './theirs'], options)).digest, built.digest);
  await run(
    skopeoProgram,
    ...policy,
    'copy',
    ...plain,
    `docker://${name}`,
    'docker-archive:theirs.tar:orders:1.0',
  );
  const archive = await mayflyJson<Built & { parts: { entrypoint: string[] }[] }>(
    ['image', 'inspect', './theirs.tar'],
    options,
  );
  assert.deepEqual(archive.parts[0]?.entrypoint, ['/app.wasm']);
  await build('./ours.tar');
  await run(skopeoProgram, ...policy, 'copy', 'docker-archive:ours.tar', 'oci:unpacked:1.0');
  await run(skopeoProgram, ...policy, 'copy', '--all', 'oci-archive:ours.tar:latest', 'oci:again:1.0');
  assert.equal((await mayflyJson<Built>(['image', 'inspect', './again'], options)).digest, built.digest);
});

test("cosign verifies our signatures, we cosign's; another key, and nobody does", async (t) => {
  const [registryPart, cosign] = [await needPart(t, 'registry'), await needPart(t, 'cosign')];
  if (registryPart === undefined || cosign === undefined) return;
  await using registry = await startRealRegistry(registryPart.paths.registry);
  using project = await makeProject('hello');
  const { build, options, folder } = project;
  const cosignRun = (...args: string[]) =>
    runTool(cosign.paths.cosign, args, { HOME: folder.path, ...COSIGN }, folder.path);
  const offline = '--insecure-ignore-tlog=true';
  const name = `${registry.host}/shop/orders:1.0`;
  const built = await build(name);
  const pinned = `${registry.host}/shop/orders@${built.digest}`;
  await mayflyJson(['image', 'keygen', '--prefix', 'ours'], options);
  assert.equal(
    (await mayfly(['image', 'keygen', '--prefix', 'ours'], options)).code,
    1,
    'a key is never overwritten',
  );
  assert.equal((await cosignRun('generate-key-pair')).code, 0);

  const unsigned = await mayfly(['image', 'verify', name, '--key', 'ours.pub'], options);
  assert.equal(unsigned.code, 1);
  assert.match(unsigned.err, /Cannot trust the image: it is not signed/);

  // Ours, with our own key and with the one that cosign made.
  for (const key of ['ours', 'cosign']) {
    await mayflyJson(['image', 'sign', name, '--key', `${key}.key`], options);
    const theirs = await cosignRun('verify', '--key', `${key}.pub`, offline, pinned);
    assert.equal(theirs.code, 0, theirs.out);
  }
  // cosign's, with the key that we made.
  const other = await build(`${registry.host}/shop/other:1.0`, '--annotation', 'a=b');
  const signed = await cosignRun(
    'sign',
    '--key',
    'ours.key',
    '--tlog-upload=false',
    '-y',
    `${registry.host}/shop/other@${other.digest}`,
  );
  assert.equal(signed.code, 0, signed.out);
  const verdict = await mayflyJson<{ key: string; identity: string }>(
    ['image', 'verify', `${registry.host}/shop/other:1.0`, '--key', 'cosign.pub', '--key', 'ours.pub'],
    options,
  );
  assert.deepEqual([verdict.key, verdict.identity], ['ours.pub', `${registry.host}/shop/other`]);
  const wrong = await mayfly(
    ['image', 'verify', `${registry.host}/shop/other:1.0`, '--key', 'cosign.pub'],
    options,
  );
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /none of its signatures is by a key that is trusted/);
  // A signature travels with its image, and is as good in a folder.
  await mayflyJson(['image', 'pull', name, './signed'], options);
  await mayflyJson(['image', 'verify', './signed', '--key', 'ours.pub'], options);
  await mayflyJson(['image', 'push', './signed', `${registry.host}/live/orders:1.0`], options);
  assert.equal(
    (await cosignRun('verify', '--key', 'ours.pub', offline, `${registry.host}/live/orders:1.0`)).code,
    0,
  );
  const mistyped = { ...options, env: { ...options.env, COSIGN_PASSWORD: 'wrong' } };
  assert.match(
    (await mayfly(['image', 'sign', name, '--key', 'ours.key'], mistyped)).err,
    /the password is wrong/,
  );
});

test('a registry that wants to know who asks takes what docker login wrote', async (t) => {
  const registryPart = await needPart(t, 'registry');
  if (registryPart === undefined) return;
  // bcrypt of "secret".
  const htpasswd = 'me:$2b$04$sCpFWVwcivwoeheH07wNq.hrRiG7ntwa96.9wKw8gQ6mZL3W3iWk6\n';
  await using registry = await startRealRegistry(registryPart.paths.registry, htpasswd);
  using project = await makeProject('hello');
  const { build, options, folder } = project;
  await build('./image');
  const name = `${registry.host}/shop/orders:1.0`;
  const login = (password: string) => {
    const auth = Buffer.from(`me:${password}`).toString('base64');
    writeFileSync(join(folder.path, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  };
  const denied = await mayfly(['image', 'push', './image', name], options);
  assert.equal(denied.code, 1);
  assert.match(denied.err, /wants to know who asks/);
  assert.match(denied.err, /docker login/);
  login('wrong');
  assert.equal((await mayfly(['image', 'push', './image', name], options)).code, 1);
  login('secret');
  await mayflyJson(['image', 'push', './image', name], options);
  await mayflyJson(['image', 'inspect', name], options);
});

test('what goes wrong is one sentence, and leaves no half-written file', async (t) => {
  const registryPart = await needPart(t, 'registry');
  if (registryPart === undefined) return;
  await using registry = await startRealRegistry(registryPart.paths.registry);
  using project = await makeProject('hello');
  const { build, options, folder } = project;
  const name = `${registry.host}/shop/orders:1.0`;
  const built = await build(name);
  folder.write('broken.wasm', 'not a module');
  const before = readdirSync(folder.path).toSorted();
  const fails = async (expected: RegExp, ...args: string[]) => {
    const { code, err } = await mayfly(['image', ...args], options);
    assert.notEqual(code, 0, args.join(' '));
    assert.match(err, expected, args.join(' '));
    assert.ok(err.split('\n').length <= 3, err);
  };
  const nobody = `sha256:${'0'.repeat(64)}`;
  await fails(/There is no such image/, 'pull', `${registry.host}/shop/orders:2.0`, './x.tar');
  await fails(/There is no such image/, 'pull', `${registry.host}/shop/orders@${nobody}`, './x.tar');
  await fails(/Cannot reach the registry: nobody listens there/, 'inspect', '127.0.0.1:1/a:1');
  await fails(/it names no registry/, 'inspect', 'orders:1.0');
  await fails(/There is no such image/, 'inspect', './nothing');
  await fails(
    /This is not a WebAssembly module/,
    'build',
    'orders.wasm',
    '--pod',
    'broken.wasm',
    '-o',
    './x.tar',
  );
  await fails(/cannot be written to a digest/, 'push', name, `./x.tar@${nobody}`);
  await fails(/cannot be written to a digest/, 'pull', name, `${registry.host}/a@${nobody}`);
  const tagged = ['build', 'orders.wasm', '--pod', 'pod.wasm', '-o', './x.tar'];
  await fails(/The tag is not one/, ...tagged, '--tag', 'a/b');
  await fails(
    /There is no platform/,
    'build',
    'orders.wasm',
    '--aot',
    'linux/mips=pod.wasm',
    '-o',
    './x.tar',
  );
  // Somebody changes a blob in the registry's own storage.
  const part = built.parts[0]?.digest.slice(7) ?? '';
  const file = join(registry.folder, `docker/registry/v2/blobs/sha256/${part.slice(0, 2)}/${part}/data`);
  writeFileSync(file, readFileSync(file, 'utf8').replace('8080', '8081').replace('size', 'Size'));
  await fails(/Cannot use the image|the registry answers 5/, 'pull', name, './x.tar');
  await registry.stop();
  await fails(/Cannot reach the registry/, 'pull', name, './x.tar');
  assert.deepEqual(readdirSync(folder.path).toSorted(), before);
});

test('the gateway serves straight from the registry, only what was signed, and starts again without it', async (t) => {
  const registryPart = await needPart(t, 'registry');
  if (registryPart === undefined) return;
  await using registry = await startRealRegistry(registryPart.paths.registry);
  using project = await makeProject('from the registry');
  const { build, options, folder } = project;
  const name = `${registry.host}/shop/orders:1.0`;
  const built = await build(name);
  await mayflyJson(['image', 'keygen'], options);
  const key = readFileSync(join(folder.path, 'cosign.pub'), 'utf8');
  const source = (digest: string) => `
functions:
  orders: { source: "oci://${registry.host}/shop/orders@${digest}" }
`;
  const trusting = `${FREE_PORTS}\nsecurity: { images: { keys: [cosign.pub] } }\n`;
  await assert.rejects(
    startTestPlatform(trusting + source(built.digest), { 'cosign.pub': key }),
    /Cannot deploy "orders", step pull: the image is not trusted: it is not signed/,
  );
  await mayflyJson(['image', 'sign', name, '--key', 'cosign.key'], options);
  const state = makeTestFolder();
  const yaml = `${trusting}state: { directory: ${JSON.stringify(state.path)} }\n${source(built.digest)}`;
  const ask = async (url: string) => (await fetch(`${url}/orders`)).text();
  {
    await using server = await startTestPlatform(yaml, { 'cosign.pub': key });
    assert.equal(await ask(server.url), 'from the registry');
    // Over the admin API, by tag: the command line looks the digest up.
    const connection = [
      '--admin',
      server.platform.addresses.admin,
      '--token-file',
      join(server.folder, '.mayfly/admin-token'),
    ];
    const deployed = await mayflyJson<{ function: string }>(
      ['deploy', 'again', `oci://${name}`, ...connection],
      options,
    );
    assert.equal(deployed.function, 'again');
    assert.equal(await (await fetch(`${server.url}/again`)).text(), 'from the registry');
    const other = await build(`${registry.host}/shop/evil:1.0`, '--annotation', 'who=somebody else');
    assert.notEqual(other.digest, built.digest);
    const refused = await mayfly(
      ['deploy', 'evil', `oci://${registry.host}/shop/evil:1.0`, ...connection],
      options,
    );
    assert.equal(refused.code, 1);
    assert.match(refused.err, /the image is not trusted: it is not signed/);
  }
  await registry.stop();
  await using again = await startTestPlatform(yaml, { 'cosign.pub': key });
  assert.equal(await ask(again.url), 'from the registry');
  assert.equal(await (await fetch(`${again.url}/again`)).text(), 'from the registry');
  state[Symbol.dispose]();
});
