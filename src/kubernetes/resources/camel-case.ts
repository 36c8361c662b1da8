/** Keys of `mayfly.yaml` as Kubernetes writes keys, and back. */
import { z } from 'zod';

export type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Key;

type InCamelCase<Shape extends z.ZodRawShape> = {
  [Key in keyof Shape & string as CamelCase<Key>]: Shape[Key];
};

/** `max_connections` → `maxConnections` */
export function camelCase(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `maxConnections` → `max_connections` */
export function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The keys of a section, whose values stay what they are. */
export function inCamelCase<Shape extends z.ZodRawShape>(shape: Shape): InCamelCase<Shape> {
  const entries = Object.entries(shape).map(([key, value]) => [camelCase(key), value]);
  return Object.fromEntries(entries) as InCamelCase<Shape>;
}
