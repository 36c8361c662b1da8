import { Bytes } from "./bytes";
import { appendDecimal } from "./decimal";
import { writeLog } from "./host";

/**
 * Takes the place of AssemblyScript's `abort` (thrown errors, failed assertions, indexes out of range):
 * one error line in the function's log, then a trap. The caller of the function sees a 500.
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const text = new Bytes(256);
  text.appendText(message === null ? "aborted" : message);
  if (file !== null) {
    text.appendText(" (");
    text.appendText(file);
    text.push(0x3a /* : */);
    appendDecimal(text, line);
    text.push(0x3a);
    appendDecimal(text, column);
    text.push(0x29 /* ) */);
  }
  writeLog(3, text.start, text.length);
  unreachable();
}
