/** Compiling a pod ahead of time with WasmEdge's own compiler. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { MayflyError } from '../model/errors.ts';
import { storeError } from '../model/store-error.ts';

const run = promisify(execFile);
const COMPILE_PATIENCE_MS = 600_000;
const LOAD_PATIENCE_MS = 60_000;
/** A name that no pod exports: WasmEdge loads the module, finds nothing to call and ends. */
const NO_FUNCTION = 'mayfly:nothing';
const LOADED = 'wasm function not found';
const REFUSED = 'Use interpreter mode instead';

/** The `wasmedge` program: MAYFLY_WASMEDGE, or the first one on PATH. Throws MayflyError, code `wasmedge-missing`. */
export function findWasmedge(env: Readonly<Record<string, string | undefined>>): string {
  const chosen = env['MAYFLY_WASMEDGE'];
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = chosen === undefined ? folders.map((folder) => join(folder, 'wasmedge')) : [chosen];
  const found = candidates.find(isProgram);
  if (found !== undefined) return found;
  throw new MayflyError('Cannot compile ahead of time: there is no wasmedge program', {
    where: chosen === undefined ? 'PATH' : `MAYFLY_WASMEDGE=${chosen}`,
    fix: 'Install WasmEdge 0.14, set MAYFLY_WASMEDGE to its path, or build without --aot.',
    code: 'wasmedge-missing',
    exitCode: 2,
  });
}

/**
 * The pod with machine code for this processor architecture in it (any processor of it: `--generic-binary`).
 * Throws MayflyError, code `disk-full` where there is no room for it, and `aot-failed`, also when WasmEdge would not use the machine code: it would run the module
 * interpreted and say so nowhere but in its log.
 */
export async function compileAhead(wasmedge: string, pod: Uint8Array): Promise<Uint8Array> {
  const folder = await workFolder();
  try {
    const [plain, compiled] = [join(folder, 'pod.wasm'), join(folder, 'pod.aot.wasm')];
    try {
      await writeFile(plain, pod);
    } catch (error) {
      throw storeError('compile ahead of time', folder, error);
    }
    try {
      await run(wasmedge, ['compile', '--generic-binary', plain, compiled], { timeout: COMPILE_PATIENCE_MS });
    } catch (error) {
      throw failed(`${wasmedge} does not compile the pod`, lastLines(error));
    }
    if (!existsSync(compiled)) throw failed(`${wasmedge} compiles, but writes nothing`, '');
    await checkCompiled(wasmedge, compiled);
    return await readFile(compiled);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function workFolder(): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), 'mayfly-aot-'));
  } catch (error) {
    throw storeError('compile ahead of time', tmpdir(), error);
  }
}

/** Throws MayflyError, code `aot-failed`, unless WasmEdge takes the machine code in `file`. */
export async function checkCompiled(wasmedge: string, file: string): Promise<void> {
  if (!hasMachineCode(await readFile(file))) throw failed('the module has no machine code in it', file);
  const output = await loadOnly(wasmedge, file);
  if (output.includes(REFUSED)) throw failed('WasmEdge refuses the machine code and would interpret', output);
  if (!output.includes(LOADED)) throw failed('WasmEdge does not load the module', output);
}

/** Whether there is the custom section in which WasmEdge keeps machine code. */
export function hasMachineCode(wasm: Uint8Array<ArrayBuffer>): boolean {
  if (!WebAssembly.validate(wasm)) return false;
  return WebAssembly.Module.customSections(new WebAssembly.Module(wasm), 'wasmedge').length > 0;
}

async function loadOnly(wasmedge: string, file: string): Promise<string> {
  try {
    const { stdout, stderr } = await run(wasmedge, ['--reactor', file, NO_FUNCTION], {
      timeout: LOAD_PATIENCE_MS,
    });
    return stdout + stderr;
  } catch (error) {
    return lastLines(error);
  }
}

function lastLines(error: unknown): string {
  const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
  const output = `${stdout ?? ''}${stderr ?? ''}`.trim();
  return output === '' ? message : output.slice(-2000);
}

function failed(what: string, output: string): MayflyError {
  return new MayflyError(`Cannot compile ahead of time: ${what}`, {
    fix: `Is it WasmEdge 0.14?${output === '' ? '' : ` It said:\n${output}\n`}`,
    code: 'aot-failed',
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
