/**
 * cosign's encrypted private keys (go-securesystemslib/encrypted): the key of a NaCl secretbox is derived with scrypt, and
 * everything that is needed to open it stands beside it as JSON within a PEM block.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import { secretbox } from '@noble/ciphers/salsa.js';
import { z } from 'zod';
import { MayflyError } from '../../../model/errors.ts';

const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY';
/** cosign wrote the second name until 2023. */
const BLOCK = /-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/;
/** scrypt takes 128 · N · r bytes; a file must not make us take more. */
const MOST_MEMORY = 256 * 1024 * 1024;
const STANDARD = { N: 65_536, r: 8, p: 1 };
const KEY_BYTES = 32;

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const schema = z.looseObject({
  kdf: z.looseObject({
    name: z.literal('scrypt'),
    params: z.looseObject({ N: z.int().min(2), r: z.int().min(1).max(64), p: z.int().min(1).max(16) }),
    salt: base64,
  }),
  cipher: z.looseObject({ name: z.literal('nacl/secretbox'), nonce: base64 }),
  ciphertext: base64,
});

export function isSealed(pem: string): boolean {
  return /-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----/.test(pem);
}

/** PEM of a private key (PKCS #8, DER). */
export function sealKey(der: Uint8Array, password: string): string {
  const salt = randomBytes(32);
  const nonce = randomBytes(24);
  const box = secretbox(derive(password, salt, STANDARD), nonce).seal(der);
  const document = {
    kdf: { name: 'scrypt', params: STANDARD, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(box).toString('base64'),
  };
  const body = Buffer.from(JSON.stringify(document))
    .toString('base64')
    .replaceAll(/.{64}/g, '$&\n')
    .trimEnd();
  return `-----BEGIN ${LABEL}-----\n${body}\n-----END ${LABEL}-----\n`;
}

/** The PKCS #8 key in DER. Throws MayflyError `bad-key`. */
export function unsealKey(pem: string, password: string, where: string): Buffer {
  const { kdf, cipher, ciphertext } = readBlock(pem, where);
  const nonce = Buffer.from(cipher.nonce, 'base64');
  if (kdf.params.N * kdf.params.r * 128 > MOST_MEMORY || nonce.length !== 24) throw damaged(where);
  let derived: Buffer;
  try {
    derived = derive(password, Buffer.from(kdf.salt, 'base64'), kdf.params);
  } catch {
    throw damaged(where);
  }
  try {
    return Buffer.from(secretbox(derived, nonce).open(Buffer.from(ciphertext, 'base64')));
  } catch {
    throw new MayflyError('Cannot open the key: the password is wrong', {
      where,
      fix: 'Set COSIGN_PASSWORD, or type it when asked.',
      code: 'bad-key',
    });
  }
}

function readBlock(pem: string, where: string): z.infer<typeof schema> {
  const body = BLOCK.exec(pem)?.[2] ?? '';
  try {
    return schema.parse(JSON.parse(Buffer.from(body, 'base64').toString('utf8')));
  } catch {
    throw damaged(where);
  }
}

function derive(password: string, salt: Uint8Array, { N, r, p }: typeof STANDARD): Buffer {
  return scryptSync(password, salt, KEY_BYTES, { N, r, p, maxmem: 2 * MOST_MEMORY });
}

function damaged(where: string): MayflyError {
  return new MayflyError('Cannot use the key: the file is damaged, or of a kind that is not known', {
    where,
    exitCode: 2,
    code: 'bad-key',
  });
}
