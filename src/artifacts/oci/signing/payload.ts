/** What a signature says: the "simple signing" document of containers-signature(5), as cosign fills it in. */
import { z } from 'zod';

const TYPE = 'cosign container image signature';

const schema = z.looseObject({
  critical: z.looseObject({
    identity: z.looseObject({ 'docker-reference': z.string() }),
    image: z.looseObject({ 'docker-manifest-digest': z.string() }),
    type: z.literal(TYPE),
  }),
});

export interface Claim {
  /** The repository that was signed in, as the signer named it. */
  readonly identity: string;
  readonly digest: string;
}

export function formatPayload({ identity, digest }: Claim): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': identity },
        image: { 'docker-manifest-digest': digest },
        type: TYPE,
      },
      optional: null,
    }),
  );
}

/** null for anything that is not such a document. */
export function parsePayload(bytes: Uint8Array): Claim | null {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) return null;
  const { identity, image } = parsed.data.critical;
  return { identity: identity['docker-reference'], digest: image['docker-manifest-digest'] };
}
