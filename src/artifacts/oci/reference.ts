/**
 * Names of images in a registry, by the grammar of the distribution project
 * (https://pkg.go.dev/github.com/distribution/reference): `host[:port]/path[:tag][@sha256:…]`, with or without `oci://`.
 */
import { MayflyError } from '../../model/errors.ts';
import { isDigest } from '../digest.ts';

export interface Reference {
  /** Host with port, as written: `registry.example.com:5000`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

const LABEL = '[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?';
const HOST = new RegExp(`^((${LABEL})(\\.${LABEL})*|\\[[0-9a-fA-F:.]{2,45}\\])(:([0-9]{1,5}))?$`);
const PART = '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PART}(/${PART})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const SCHEME = 'oci://';
/** The longest name that registries take. */
const LONGEST_NAME = 255;

/** Throws MayflyError `bad-reference`. */
export function parseReference(text: string): Reference {
  const bare = text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text;
  const slash = bare.indexOf('/');
  const host = bare.slice(0, Math.max(0, slash));
  if (bare.length > 600) throw bad('it is too long', text);
  if (!looksLikeHost(host)) {
    throw bad(
      'it names no registry',
      text,
      `Write the host too: docker.io/library/NAME, or ./NAME for a folder.`,
    );
  }
  if (!isHost(host)) throw bad('the registry is not a host name', text);
  let rest = bare.slice(slash + 1);
  let digest: string | null = null;
  let tag: string | null = null;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!isDigest(digest)) throw bad('the digest is not sha256:<64 hex digits>', text);
  }
  const colon = rest.lastIndexOf(':');
  if (colon >= 0) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!TAG.test(tag)) throw bad('the tag is not one', text, 'Tags have up to 128 of A-Z a-z 0-9 _ . -');
  }
  // Docker Hub keeps its own images under library/.
  const repository = host === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest;
  if (!REPOSITORY.test(repository) || repository.length > LONGEST_NAME) {
    throw bad(
      'the repository is not one',
      text,
      'Repositories are lower-case words with / . _ - between them.',
    );
  }
  return { registry: host, repository, tag, digest };
}

export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Where cosign and the fallback for referrers keep what belongs to an image: `sha256-<hex>` and a suffix. */
export function tagBeside(digest: string, suffix: '' | '.sig'): string {
  return `${digest.replace(':', '-')}${suffix}`;
}

/** As Docker tells a host from the first part of a path. */
function looksLikeHost(text: string): boolean {
  return text.includes('.') || text.includes(':') || text === 'localhost';
}

function isHost(text: string): boolean {
  const match = HOST.exec(text);
  return match !== null && Number(match.at(-1) ?? 1) <= 65_535 && URL.canParse(`https://${text}/`);
}

function bad(what: string, text: string, fix?: string): MayflyError {
  return new MayflyError(`Cannot read the name of the image: ${what}`, {
    where: JSON.stringify(text.slice(0, 100)),
    fix,
    exitCode: 2,
    code: 'bad-reference',
  });
}
