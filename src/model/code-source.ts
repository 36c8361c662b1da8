/** Where the code of a function comes from. */
export interface PathSource {
  readonly type: 'path';
  /** A `.wasm` file, or a folder to build. */
  readonly path: string;
  /** How, when the language is not one of ours. */
  readonly build: { readonly command: string; readonly output: string } | null;
}

export interface ImageSource {
  readonly type: 'image';
  /** `oci://HOST/REPOSITORY@sha256:…` */
  readonly reference: string;
}

/** There is no code: the function runs elsewhere. */
export interface UpstreamSource {
  readonly type: 'upstream';
  readonly url: string;
}

export type CodeSource = PathSource | ImageSource | UpstreamSource;

export function isImageSource(text: string): boolean {
  return text.startsWith('oci://');
}

/** Which images are trusted, and how their registries are reached. Paths are absolute. */
export interface ImageTrust {
  /** Public keys in PEM. With any, an image must be signed with one of them. */
  readonly keyFiles: readonly string[];
  readonly caFile: string | null;
  /** Registries, `host[:port]`, that are spoken to without TLS. */
  readonly plainHttp: readonly string[];
}
