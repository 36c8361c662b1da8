/** 713 B, 7.3 KiB, 64 MiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const unit = bytes < 1024 ** 2 ? 'KiB' : 'MiB';
  const value = bytes / (unit === 'KiB' ? 1024 : 1024 ** 2);
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${unit}`;
}
