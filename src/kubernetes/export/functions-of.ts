/** The functions of a mayfly.yaml in the words of a cluster. Pure. */
import type { Settings } from '../../config/schema.ts';
import { isImageSource } from '../../model/code-source.ts';
import { MayflyError } from '../../model/errors.ts';
import { functionRules, functionSpec, hasOwnPods, type PodSpec } from '../resources/function.ts';
import { podName } from '../resources/words.ts';
import { cpuQuantity, memoryQuantity } from '../resources/quantity.ts';

/** What is set aside for a pod, where its limits are not lower. */
const REQUEST = { cpu: 10, memory: 32 * 2 ** 20 } as const;

export interface ExportedFunction {
  readonly name: string;
  /** What a person would write as `spec` of a Function. */
  readonly written: Readonly<Record<string, unknown>>;
  /** The same with its defaults. */
  readonly spec: PodSpec;
}

export interface ExportOptions {
  readonly settings: Settings;
  /** Image by name of function, for those whose source is not one. */
  readonly images: Readonly<Record<string, string>>;
  /** Whether the value of a variable came from outside of the file, so that it may be a secret. */
  isFromOutside(name: string, variable: string): boolean;
}

/** Throws MayflyError for what pods cannot be made of. */
export function functionsOf(options: ExportOptions): ExportedFunction[] {
  return Object.entries(options.settings.functions).map(([name, entry]) => {
    if (!podName.safeParse(name).success) {
      throw new MayflyError(`Cannot export ${JSON.stringify(name)}: a Service cannot be called so`, {
        where: `functions.${name}`,
        fix: 'Let the name begin with a letter.',
        exitCode: 2,
        code: 'not-exportable',
      });
    }
    const written = specOf(name, entry, options);
    const parsed = functionSpec.safeParse(written);
    const broken = parsed.success ? functionRules.find((rule) => !rule.holds(parsed.data)) : undefined;
    if (parsed.success && broken === undefined && hasOwnPods(parsed.data))
      return { name, written, spec: parsed.data };
    const [issue] = parsed.error?.issues ?? [];
    const problem = issue === undefined ? broken : { path: issue.path, message: `${issue.message}.` };
    throw new MayflyError(`Cannot export ${JSON.stringify(name)}`, {
      where: `functions.${name}`,
      fix: `${problem?.path.join('.')} ${problem?.message}`,
      exitCode: 2,
      code: 'not-exportable',
    });
  });
}

function specOf(
  name: string,
  entry: Settings['functions'][string],
  options: ExportOptions,
): Record<string, unknown> {
  const { settings, isFromOutside } = options;
  const cpu = entry.cpu_limit ?? settings.function.cpu_limit;
  const memory = entry.memory_limit ?? settings.function.memory_limit;
  const variables = Object.keys(entry.env);
  const outside = variables.filter((variable) => isFromOutside(name, variable));
  const inside = Object.entries(entry.env).filter(([variable]) => !outside.includes(variable));
  return {
    runtime: 'wasmedge',
    image: imageOf(name, entry.source, options.images),
    ...(inside.length === 0 ? {} : { env: Object.fromEntries(inside) }),
    ...(outside.length === 0
      ? {}
      : { secretEnv: Object.fromEntries(outside.map((key) => [key, { name: secretName(name), key }])) }),
    logLevel: settings.logging.level,
    cpuLimit: cpuQuantity(cpu),
    memoryLimit: memoryQuantity(memory),
    cpuRequest: cpuQuantity(Math.min(cpu, REQUEST.cpu)),
    memoryRequest: memoryQuantity(Math.min(memory, REQUEST.memory)),
    scaling: {},
  };
}

/** The Secret that values from outside of the file are expected in. */
export function secretName(name: string): string {
  return `${name}-env`;
}

function imageOf(name: string, source: string | undefined, images: ExportOptions['images']): string {
  const image =
    images[name] ??
    (source !== undefined && isImageSource(source) ? source.replace('oci://', '') : undefined);
  if (image !== undefined) return image;
  throw new MayflyError(
    `Cannot export ${JSON.stringify(name)}: pods need an image, and ${source === undefined ? 'it runs elsewhere' : `its source is ${source}`}`,
    {
      where: `functions.${name}.source`,
      fix: `Push one (mayfly image build --pod), and name it: --image ${name}=HOST/REPOSITORY@sha256:…`,
      exitCode: 2,
      code: 'not-exportable',
    },
  );
}
