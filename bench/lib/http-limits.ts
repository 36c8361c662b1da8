/** What mayfly.yaml means by default, for servers that are wired by hand. */
export const HTTP_LIMITS = {
  maxHeadBytes: 16_384,
  maxHeaders: 100,
  maxTargetBytes: 8192,
  timeoutMs: 30_000,
  maxConnections: 10_000,
} as const;
