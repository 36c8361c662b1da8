/** Keys for signatures: PEM as OpenSSL writes them, and cosign's encrypted files. ECDSA on P-256, cosign's default. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { MayflyError } from '../../../model/errors.ts';
import { isSealed, sealKey, unsealKey } from './sealed-key.ts';

export interface KeyPair {
  /** PEM, sealed with the password as `cosign generate-key-pair` does. */
  readonly privateKey: string;
  readonly publicKey: string;
}

export function generateKeys(password: string): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  return {
    privateKey: sealKey(der, password),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  };
}

/** `password` is asked for only when the file needs one. Throws MayflyError `bad-key`. */
export async function readPrivateKey(
  pem: string,
  where: string,
  password: () => Promise<string>,
): Promise<KeyObject> {
  let key: KeyObject;
  try {
    if (isSealed(pem)) {
      const der = unsealKey(pem, await password(), where);
      key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    } else if (pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')) {
      key = createPrivateKey({ key: pem, passphrase: await password() });
    } else {
      key = createPrivateKey(pem);
    }
  } catch (error) {
    if (error instanceof MayflyError) throw error;
    throw badKey('it is not a private key in PEM, or the password is wrong', where);
  }
  return requireP256(key, where);
}

/** Throws MayflyError `bad-key`. */
export function readPublicKey(pem: string, where: string): KeyObject {
  if (pem.includes('PRIVATE KEY-----'))
    throw badKey('it is a private key', where, 'Give the public one: cosign.pub.');
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw badKey('it is not a public key in PEM', where);
  }
  return requireP256(key, where);
}

function requireP256(key: KeyObject, where: string): KeyObject {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return key;
  throw badKey(
    `it is of the kind ${curve ?? key.asymmetricKeyType}`,
    where,
    'Use an ECDSA key on P-256: `mayfly image keygen`.',
  );
}

function badKey(what: string, where: string, fix?: string): MayflyError {
  return new MayflyError(`Cannot use the key: ${what}`, { where, fix, exitCode: 2, code: 'bad-key' });
}
