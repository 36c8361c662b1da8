import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { completionScript, SHELLS } from './completion.ts';
import { createProgram } from './program.ts';

const silent = { write: () => {} };
const program = createProgram({ terminal: { out: silent, err: silent, env: {}, json: false }, exitCode: 0 });

/** What bash offers after these words, the last one being typed. */
function offered(...words: string[]): string[] {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(mayfly ${typed}); COMP_CWORD=${words.length}; _mayfly; echo "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', `${completionScript('bash', program)}\n${ask}`], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return stdout.trim().split(' ');
}

test('bash completes commands, inner commands, options and choices', () => {
  assert.deepEqual(offered('rollb'), ['rollback']);
  assert.deepEqual(offered('policy', 'e'), ['eval']);
  assert.deepEqual(offered('policy', 'eval', '--ru'), ['--rule']);
  assert.deepEqual(offered('serve', '--po'), ['--port']);
  assert.deepEqual(offered('completion', 'z'), ['zsh']);
  assert.deepEqual(offered('deploy', 'x'), [''], 'no word of ours: the shell offers files');
});

test('every shell knows every command', () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell, program);
    for (const { name } of program.commands.map((command) => ({ name: command.name() }))) {
      assert.ok(script.includes(name), `${shell}: ${name}`);
    }
  }
});
