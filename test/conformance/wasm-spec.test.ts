import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MayflyError } from '../../src/model/errors.ts';
import { prepare } from '../../src/runtime/prepare/prepare.ts';
import { missingPart } from '../support/parts.ts';
import { compareLinked, compareScript, type Tally } from './wasm-spec/compare.ts';
import { loadSuite, type Script } from './wasm-spec/suite.ts';

/**
 * The specification's own test suite, run with modules as they are and prepared: every command must end the same way.
 * Prints how many did per suite, and why modules were refused.
 */
test('prepared modules pass the WebAssembly specification test suite exactly as the originals do', (t) => {
  const scripts = loadSuite();
  if (scripts === null)
    return void missingPart(t, 'cargo, which brings the WebAssembly test suite from its registry');
  const tallies = new Map<string, Tally>();
  const differences: string[] = [];
  for (const script of scripts) {
    const tally = compareScript(script, differences);
    tallies.set(script.suite, add(tallies.get(script.suite), tally));
  }
  for (const line of report(tallies)) t.diagnostic(line);
  assert.equal(differences.length, 0, differences.slice(0, 20).join('\n'));
  const total = [...tallies.values()].reduce(add);
  assert.ok(total.same > 40_000, `only ${total.same} commands were compared`);
});

/** WebAssembly 2.0 as it was published, and what WasmEdge runs besides; the other suites repeat most of it. */
const OF_PODS: ReadonlySet<string> = new Set(['wasm-2.0', 'simd', 'tail-call', 'extended-const']);

/** ADR 0004, "Deviations left": recursion by tail calls ends, and an access may end a little behind the memory. */
function isKnown(difference: string): boolean {
  if (/\/return_call(_indirect)?\.wast:\d+ returned .* when plain, RuntimeError/.test(difference))
    return true;
  return BEHIND_THE_END.test(difference);
}

const BEHIND_THE_END = /: memory access out of bounds when plain, returned/;

/** What a script reads after it has written across the end, which the original refuses to do. */
function isConsequence(difference: string, all: readonly string[]): boolean {
  const [script] = difference.split(':');
  return (
    / returned .* when plain, returned /.test(difference) &&
    all.some((other) => other.startsWith(`${script}:`) && BEHIND_THE_END.test(other))
  );
}

test('modules linked into pods pass it as the originals do, but for the known deviations', (t) => {
  const scripts = loadSuite();
  if (scripts === null)
    return void missingPart(t, 'cargo, which brings the WebAssembly test suite from its registry');
  const tallies = new Map<string, Tally>();
  const differences: string[] = [];
  for (const script of scripts) {
    // A pod has nothing that another module could import.
    if (!OF_PODS.has(script.suite) || script.commands.some(({ type }) => type === 'register')) continue;
    tallies.set(script.suite, add(tallies.get(script.suite), compareLinked(script, differences)));
  }
  for (const line of report(tallies)) t.diagnostic(line);
  const unknown = differences.filter(
    (difference) => !isKnown(difference) && !isConsequence(difference, differences),
  );
  assert.equal(unknown.length, 0, unknown.slice(0, 20).join('\n'));
  t.diagnostic(`${differences.length} known deviations`);
  assert.ok(differences.length < 120, `${differences.length} deviations`);
  const total = [...tallies.values()].reduce(add);
  assert.ok(total.same > 40_000, `only ${total.same} commands were compared`);
});

test('what the specification calls malformed or invalid is refused', (t) => {
  const scripts = loadSuite();
  if (scripts === null)
    return void missingPart(t, 'cargo, which brings the WebAssembly test suite from its registry');
  let refused = 0;
  for (const script of scripts) refused += refuseInvalid(script);
  t.diagnostic(`${refused} invalid modules refused`);
  assert.ok(refused > 2000, `only ${refused} invalid modules were found`);
});

function refuseInvalid(script: Script): number {
  let refused = 0;
  for (const command of script.commands) {
    if (command.type !== 'assert_invalid' && command.type !== 'assert_malformed') continue;
    const file = command.binary_filename ?? (command.module_type === 'binary' ? command.filename : undefined);
    if (file === undefined || script.modules[file] === undefined) continue;
    const bytes = new Uint8Array(Buffer.from(script.modules[file], 'base64'));
    // Engines may accept more than the version of the specification a script was written for.
    if (WebAssembly.validate(bytes)) continue;
    assert.throws(
      () => prepare(bytes, { memoryBytes: 2 ** 32 }),
      MayflyError,
      `${script.suite}/${script.name}:${command.line}`,
    );
    refused++;
  }
  return refused;
}

function add(left: Tally | undefined, right: Tally): Tally {
  if (left === undefined) return right;
  const refusals = new Map(left.refusals);
  for (const [reason, count] of right.refusals) refusals.set(reason, (refusals.get(reason) ?? 0) + count);
  return {
    same: left.same + right.same,
    asSpecified: left.asSpecified + right.asSpecified,
    modules: left.modules + right.modules,
    refusals,
  };
}

function report(tallies: ReadonlyMap<string, Tally>): string[] {
  const lines = [
    '| suite | modules | refused | commands with the same outcome | of these as specified |',
    '|---|---|---|---|---|',
  ];
  const reasons = new Map<string, number>();
  for (const [suite, tally] of tallies) {
    let refused = 0;
    for (const [reason, count] of tally.refusals) {
      refused += count;
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
    }
    lines.push(`| ${suite} | ${tally.modules} | ${refused} | ${tally.same} | ${tally.asSpecified} |`);
  }
  for (const [reason, count] of [...reasons].toSorted((a, b) => b[1] - a[1]))
    lines.push(`${count} × ${reason}`);
  return lines;
}
