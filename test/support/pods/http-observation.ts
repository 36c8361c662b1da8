/** What came of a stream of bytes, in a form that gateway and pod can be compared by. */
export interface HttpObservation {
  /** What the function was asked, one text a request. */
  readonly requests: readonly string[];
  /** All that was sent, without what no two servers say alike: dates and request ids. */
  readonly answers: string;
  /** The server takes no further request. */
  readonly closed: boolean;
}

export function withoutNames(answers: string): string {
  return answers.replaceAll(/date: [^\r]*/g, 'date: …').replaceAll(/\b[0-9a-f]{12}-[0-9a-z]{8}\b/g, 'ID');
}

/** The request frame of the guest ABI as text: what its offsets point to, and nothing of what lies between. */
export function frameText(frame: Buffer): string {
  const text = (at: number): string => {
    const start = frame.readUInt32LE(at);
    return frame.toString('latin1', start, start + frame.readUInt32LE(at + 4));
  };
  let lines = `${frame[0]} ${frame[1]} ${text(4)}?${text(12)} user=${text(20)}\n`;
  for (let row = 0; row < frame.readUInt16LE(2); row++)
    lines += `${text(40 + row * 16)}:${text(48 + row * 16)}\n`;
  return `${lines.replace(/x-request-id:[0-9a-f]{12}-[0-9a-z]{8}\n/, 'x-request-id:…\n')}\n${text(28)}`;
}
