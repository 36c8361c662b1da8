import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { testKeys } from '../../../../test/support/images.ts';
import { MayflyError } from '../../../model/errors.ts';
import { digestOf } from '../../digest.ts';
import { generateKeys, readPrivateKey, readPublicKey } from './keys.ts';
import { formatPayload, parsePayload } from './payload.ts';
import { judge, type Signature } from './signatures.ts';

const { privateKey, publicKey } = testKeys();
const other = testKeys().publicKey;
const digest = digestOf(Buffer.from('image'));
const badKey = (text: RegExp) => (error: unknown) =>
  error instanceof MayflyError && error.code === 'bad-key' && text.test(error.message);

function signed(about: string, change: (signature: Signature) => Partial<Signature> = () => ({})): Signature {
  const payload = formatPayload({ identity: 'r.example.com/a', digest: about });
  const signature = { payload, claim: parsePayload(payload), signature: sign('sha256', payload, privateKey) };
  return { ...signature, ...change(signature) };
}

test('a signature about this image by a trusted key', () => {
  const verdict = judge([signed(digest)], digest, [other, publicKey]);
  assert.deepEqual(verdict, { ok: true, claim: { identity: 'r.example.com/a', digest }, key: 1 });
  assert.equal(judge([signed(digestOf(Buffer.from('x'))), signed(digest)], digest, [publicKey]).ok, true);
});

test('everything else is refused, with the reason', () => {
  const reason = (signatures: readonly Signature[], keys = [publicKey]) => {
    const verdict = judge(signatures, digest, keys);
    return verdict.ok ? 'trusted' : verdict.reason;
  };
  assert.match(reason([]), /not signed/);
  assert.match(reason([signed(digest)], [other]), /none of its signatures/);
  assert.match(reason([signed(digest)], []), /none of its signatures/);
  const another = digestOf(Buffer.from('another'));
  assert.equal(reason([signed(another)]), `its signature is for another image, ${another}`);
  const tampered = signed(another, ({ payload }) => {
    const text = Buffer.from(payload).toString().replace(another, digest);
    return { payload: Buffer.from(text), claim: parsePayload(Buffer.from(text)) };
  });
  assert.match(reason([tampered]), /none of its signatures/);
  assert.match(reason([signed(digest, () => ({ signature: Buffer.alloc(0) }))]), /none of its signatures/);
  assert.match(
    reason([signed(digest, () => ({ signature: Buffer.from('not DER') }))]),
    /none of its signatures/,
  );
  const blob = Buffer.from('any file that was signed with this key');
  const file = { payload: blob, claim: parsePayload(blob), signature: sign('sha256', blob, privateKey) };
  assert.match(reason([file]), /what was signed is not an image/);
});

test('the payload is byte for byte what cosign writes', () => {
  assert.equal(
    formatPayload({ identity: '127.0.0.1:5000/fn/hello', digest }).toString(),
    `{"critical":{"identity":{"docker-reference":"127.0.0.1:5000/fn/hello"},"image":{"docker-manifest-digest":"${digest}"},"type":"cosign container image signature"},"optional":null}`,
  );
  assert.equal(parsePayload(Buffer.from('{"critical":{"type":"something else"}}')), null);
});

test('a sealed key opens with its password only', async () => {
  const sealed = generateKeys('pass word');
  assert.match(sealed.privateKey, /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/);
  assert.ok(sealed.privateKey.split('\n').every((line) => line.length <= 64));
  const key = await readPrivateKey(sealed.privateKey, 'k', async () => 'pass word');
  const bytes = Buffer.from('x');
  assert.equal(judge([], digest, [readPublicKey(sealed.publicKey, 'k')]).ok, false);
  assert.ok(sign('sha256', bytes, key).length > 60);
  await assert.rejects(
    readPrivateKey(sealed.privateKey, 'k', async () => 'password'),
    badKey(/the password is wrong/),
  );
});

test("a key file of cosign's own", async () => {
  // Made with `cosign generate-key-pair` 2.5.0, password "x".
  const pem = `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiI2Q1cvQ1FFc3RwVUNQaHMzSVgvR2cxZFNzZVR3WUhN
WVluaTFJbVNjcjlZPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJma1NLbm5VdEdJZkdwZFF2K0FiSDArR3VxTDVyZTBUbCJ9LCJj
aXBoZXJ0ZXh0IjoiMUhqdGdXbFV2Z0IrY2JuL3crUDZwL3hYMm95TW5YditUdVJq
Y1k1RkxNRmtBQjY2TW04amNKRjJRQUFYOEhvL0k1eFFQa1Axb3hBdTcyOXpRK043
VFRyQlVKMVYrREZtTnZJZTJoTXBJZDNrbG9HNXVsZW9QdVdxekFkZlI1cWdpVUQx
U1I2WHpWNDYvbkd5RVA1cnBjeUJqU1djcElxQ2M0VGxRakRjZTkwYWVMZHJibUU2
em1VNmhIU1g5aGRXRURuNUQ2aUkrdGw2ekE9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
`;
  const spki = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFHo7v8DzZsFkLS+AHPfV5XS3YtKs
wN6zqhwiyccKylPwgeig1q+TuIxjmDLx63CPbOtxK2Ow0MSDNn0Ttv2lSg==
-----END PUBLIC KEY-----
`;
  const key = await readPrivateKey(pem, 'cosign.key', async () => 'x');
  const payload = formatPayload({ identity: '', digest });
  const signature = { payload, claim: parsePayload(payload), signature: sign('sha256', payload, key) };
  assert.equal(judge([signature], digest, [readPublicKey(spki, 'cosign.pub')]).ok, true);
});

test('keys as OpenSSL writes them; other kinds and other files are named', async () => {
  const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' } as const;
  const never = () => Promise.reject(new Error('no password is needed'));
  await readPrivateKey(p256.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 'k', never);
  await readPrivateKey(p256.privateKey.export({ type: 'sec1', format: 'pem' }) as string, 'k', never);
  const locked = p256.privateKey.export(options) as string;
  await readPrivateKey(locked, 'k', async () => 'p');
  await assert.rejects(
    readPrivateKey(locked, 'k', async () => 'q'),
    badKey(/password is wrong/),
  );
  const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const pem = (key: { publicKey: KeyObject }) =>
    key.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  assert.throws(() => readPublicKey(pem(p384), 'k'), badKey(/of the kind secp384r1.*P-256/));
  assert.throws(() => readPublicKey(pem(rsa), 'k'), badKey(/of the kind rsa/));
  assert.throws(() => readPublicKey('hello', 'k'), badKey(/not a public key/));
  assert.throws(() => readPublicKey(locked, 'k'), badKey(/it is a private key/));
  await assert.rejects(readPrivateKey('hello', 'k', never), badKey(/not a private key/));
});

test('a key file that wants too much memory, or is damaged, is refused before anything is derived', async () => {
  const pair = generateKeys('');
  const seal = (change: (document: Record<string, any>) => void) => {
    const body = Buffer.from(pair.privateKey.split('\n').slice(1, -2).join(''), 'base64').toString();
    const document = JSON.parse(body) as Record<string, any>;
    change(document);
    const again = Buffer.from(JSON.stringify(document)).toString('base64');
    return `-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n${again}\n-----END ENCRYPTED COSIGN PRIVATE KEY-----`;
  };
  const read = (text: string) => readPrivateKey(text, 'k', async () => '');
  await read(seal(() => {}));
  const damage: ((document: Record<string, any>) => void)[] = [
    (document) => (document['kdf'].params.N = 2 ** 30),
    (document) => (document['kdf'].params.N = 65_535),
    (document) => (document['kdf'].params.p = 1e9),
    (document) => (document['kdf'].name = 'md5'),
    (document) => (document['cipher'].nonce = 'AAAA'),
    (document) => (document['cipher'].name = 'none'),
    (document) => delete document['ciphertext'],
  ];
  for (const change of damage) await assert.rejects(read(seal(change)), badKey(/damaged|password is wrong/));
  await assert.rejects(read(seal((document) => (document['ciphertext'] = ''))), badKey(/password is wrong/));
});
