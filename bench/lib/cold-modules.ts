/** Functions of three sizes, as different modules: what a platform with many customers has. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { buildFunction } from './mayfly.ts';

/** About 5 KB as it is; real functions are added until it has the size. */
export const SIZES = [
  { name: '5 KB', functions: 0 },
  { name: '50 KB', functions: 350 },
  { name: '500 KB', functions: 4000 },
] as const;

const MARK = 'cold-0000';

/** The three modules, built once and kept. */
export async function coldModules(): Promise<Buffer[]> {
  const folder = await cached(
    `cold-modules-${SIZES.map(({ functions }) => functions).join('-')}`,
    async (target) => {
      for (const [index, { functions }] of SIZES.entries()) {
        const source = join(target, `size${index}.ts`);
        writeFileSync(source, sourceOf(functions));
        await buildFunction(source, join(target, `size${index}.wasm`));
      }
    },
  );
  return SIZES.map((_, index) => readFileSync(join(folder, `size${index}.wasm`)));
}

/** The same module with another text in its answer, so that no two share their machine code. */
export function coldVariant(module: Buffer, index: number): Buffer {
  const copy = Buffer.from(module);
  const at = copy.indexOf(Buffer.from(MARK, 'utf16le'));
  if (at < 0) throw new Error(`A module lacks its mark ${MARK}`);
  copy.write(`cold-${String(index).padStart(4, '0')}`, at, 'utf16le');
  return copy;
}

/** The ballast is called through a table that depends on the request, so that the compiler must keep it. */
function sourceOf(functions: number): string {
  const ballast = Array.from(
    { length: functions },
    (_, n) => `function f${n}(x: i32): i32 {
  let sum = x ^ ${n * 7919};
  for (let i = 0; i < ${(n % 13) + 3}; i++) sum = (sum << ${(n % 5) + 1}) - (sum >>> ${(n % 7) + 2}) + i * ${n + 31};
  if (sum % ${(n % 11) + 2} == 0) return sum / ${(n % 9) + 2};
  return sum + load<u8>(${n % 64}) * ${n + 3};
}`,
  ).join('\n');
  const table =
    functions === 0
      ? ''
      : `const table: ((x: i32) => i32)[] = [${Array.from({ length: functions }, (_, n) => `f${n}`).join(', ')}];`;
  const use = functions === 0 ? '0' : `table[request.path.length * 31 % ${functions}](request.path.length)`;
  return `import { JSON, Request, Response } from "mayfly";
${ballast}
${table}
export function handle(request: Request): Response {
  return Response.json(JSON.object().set("name", "${MARK}").set("value", ${use}));
}
`;
}
