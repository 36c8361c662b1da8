/** How an image came to be: an in-toto statement with a SLSA v1 predicate (https://slsa.dev/spec/v1.0/provenance). */

export interface ProvenanceInput {
  readonly name: string;
  /** Of the index. */
  readonly digest: string;
  /** Of Mayfly. */
  readonly toolVersion: string;
  /** What was asked for: the source by its name, platforms, annotations. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What went in, by digest. */
  readonly materials: readonly { readonly name: string; readonly digest: string }[];
}

const BUILD_TYPE = 'https://mayfly.dev/image-build/v1';

/** Without times and run numbers: a statement about the same build is the same statement. */
export function makeProvenance({ name, digest, toolVersion, parameters, materials }: ProvenanceInput) {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: sha256(digest) }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: parameters,
        resolvedDependencies: materials.map((item) => ({ name: item.name, digest: sha256(item.digest) })),
      },
      runDetails: {
        builder: { id: 'https://mayfly.dev/cli', version: { mayfly: toolVersion } },
      },
    },
  };
}

function sha256(digest: string) {
  return { sha256: digest.slice('sha256:'.length) };
}
