import type { Output, Paint } from './terminal.ts';

export interface Spinner {
  update(text: string): void;
  /** Replaces the spinner by a last line; without a text nothing remains of it. */
  stop(text?: string): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
const CLEAR_LINE = '\r\u001b[2K';

/** Moves on a terminal only; elsewhere it writes the last line and nothing before it. */
export function startSpinner(output: Output, paint: Paint, initial: string): Spinner {
  const moves = output.isTTY === true;
  let text = initial;
  let frame = 0;
  const draw = () => {
    output.write(`${CLEAR_LINE}${paint('cyan', FRAMES[frame++ % FRAMES.length] as string)} ${text}`);
  };
  const timer = moves ? setInterval(draw, FRAME_MS).unref() : undefined;
  if (moves) draw();
  return {
    update(next) {
      text = next;
      if (moves) draw();
    },
    stop(last) {
      clearInterval(timer);
      if (moves) output.write(CLEAR_LINE);
      if (last !== undefined) output.write(`${last}\n`);
    },
  };
}
