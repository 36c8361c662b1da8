/** The password of a signing key: from COSIGN_PASSWORD, as cosign has it, or typed where nobody sees it. */
import { MayflyError } from '../../model/errors.ts';
import type { Shell } from '../shell.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACE = /[\b\u007f]/;

export async function askPassword({ terminal }: Shell, prompt: string): Promise<string> {
  const { COSIGN_PASSWORD: known } = terminal.env;
  if (known !== undefined) return known;
  if (!process.stdin.isTTY) {
    throw new MayflyError('The key needs a password, and there is nobody to ask', {
      fix: 'Set COSIGN_PASSWORD (empty for none).',
      exitCode: 2,
      code: 'no-password',
    });
  }
  terminal.err.write(prompt);
  try {
    return await readHidden();
  } finally {
    terminal.err.write('\n');
  }
}

function readHidden(): Promise<string> {
  const { stdin } = process;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let typed = '';
  const onData = (text: string) => {
    for (const character of text) {
      if (character === CTRL_C) return reject(new MayflyError('Nothing was done', { code: 'interrupted' }));
      if (character === '\r' || character === '\n' || character === CTRL_D) return resolve(typed);
      typed = BACKSPACE.test(character) ? typed.slice(0, -1) : typed + character;
    }
  };
  stdin.setRawMode(true);
  stdin.setEncoding('utf8').on('data', onData).resume();
  return promise.finally(() => {
    stdin.off('data', onData).pause();
    stdin.setRawMode(false);
  });
}
