/** What the parts of an image are called (OCI image specification v1.1; Docker's older names are read, never written). */
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const CONFIG = 'application/vnd.oci.image.config.v1+json';
export const LAYER_TAR = 'application/vnd.oci.image.layer.v1.tar';
export const LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const LAYER_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
export const EMPTY = 'application/vnd.oci.empty.v1+json';

const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** A WebAssembly module as a blob of its own, and its configuration (CNCF Wasm OCI artifact layout). */
export const WASM = 'application/wasm';
export const WASM_CONFIG = 'application/vnd.wasm.config.v0+json';

/** The function that the gateway runs, beside the pod (docs/adr/0005-oci-images.md). */
export const FUNCTION = 'application/vnd.mayfly.function.v1';

export const SBOM = 'application/vnd.cyclonedx+json';
export const STATEMENT = 'application/vnd.in-toto+json';

export const INDEX_TYPES: readonly string[] = [INDEX, DOCKER_INDEX];
export const MANIFEST_TYPES: readonly string[] = [MANIFEST, DOCKER_MANIFEST];
