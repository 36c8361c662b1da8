/** 0.0123 → `1.23 %` */
export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
