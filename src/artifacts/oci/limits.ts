/** How much of somebody else's image is read before it is refused. */
export const limits = {
  /** The distribution specification asks registries to take manifests up to this size. */
  manifestBytes: 4 * 1024 * 1024,
  blobBytes: 128 * 1024 * 1024,
  /** A layer after decompression. */
  unpackedBytes: 256 * 1024 * 1024,
  /** Entries of one tar. */
  entries: 20_000,
  /** Children of an index, layers of a manifest. */
  children: 128,
  /** Indexes within indexes. */
  depth: 3,
} as const;
