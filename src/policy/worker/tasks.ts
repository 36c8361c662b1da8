import { compileRego } from '../compiler/compile-rego.ts';
import type { CompilerAnswer, CompilerRequest } from '../compiler/protocol.ts';
import { guardReplace } from '../compiler/guard-replace.ts';
import { refuseBroken } from '../compiler/refuse.ts';
import { runTests, type TestReport } from '../testing/run-tests.ts';
import { translate, type Translation } from '../translate.ts';
import { hostBuiltinsOf, WasmEvaluator } from '../wasm-evaluator.ts';

/** What the worker thread can be asked, by name: everything that runs a stranger's policy for the first time. */
export const tasks = {
  /** Sources → plan and Wasm, checked, and the translation of the plan. */
  compile({
    request,
    data,
    compiler,
  }: {
    request: CompilerRequest;
    data: unknown;
    compiler?: WebAssembly.Module;
  }): {
    answer: CompilerAnswer;
    translation: Translation;
  } {
    const answer = guarded(compileRego(request, compiler));
    const hostBuiltins =
      answer.wasm === undefined
        ? undefined
        : hostBuiltinsOf(new WebAssembly.Module(Uint8Array.fromBase64(answer.wasm)));
    const complete = hostBuiltins === undefined ? answer : { ...answer, hostBuiltins };
    refuseBroken(complete, request.entrypoints, data);
    return { answer: complete, translation: translate(complete, data) };
  },

  /** Plan → JavaScript, or why not. */
  translate({ answer, data }: { answer: CompilerAnswer; data: unknown }): Translation {
    return translate(answer, data);
  },

  /** One decision; `input` absent is Rego's undefined. */
  evaluate(asked: {
    wasm: Uint8Array<ArrayBuffer>;
    data: unknown;
    entrypoint: string;
    input?: unknown;
  }): unknown {
    const evaluator = new WasmEvaluator(new WebAssembly.Module(asked.wasm), asked.data);
    return asked.input === undefined
      ? evaluator.evaluateWithoutInput(asked.entrypoint)
      : evaluator.entrypoint(asked.entrypoint)(asked.input);
  },

  test({ files, data }: { files: Readonly<Record<string, string>>; data: unknown }): TestReport {
    const answer = guarded(compileRego({ modules: files, entrypoints: [], tests: true }));
    refuseBroken(answer, [], data);
    return runTests(answer, data);
  },
};

/** With a module that comes to an end (guard-replace.ts). */
function guarded(answer: CompilerAnswer): CompilerAnswer {
  if (answer.wasm === undefined) return answer;
  return { ...answer, wasm: guardReplace(Uint8Array.fromBase64(answer.wasm)).toBase64() };
}

export type Tasks = typeof tasks;
export type TaskName = keyof Tasks;
