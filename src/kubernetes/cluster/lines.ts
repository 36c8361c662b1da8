/** The longest line that is taken: an object of the API server is at most 3 MiB (etcd's request limit, with room). */
const LONGEST = 8 * 2 ** 20;

/** A stream of text, line by line. Throws when a line is longer than any object can be. */
export async function* readLines(body: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() as string;
    for (const line of lines) if (line !== '') yield line;
    if (rest.length > LONGEST) throw new Error('a line of the watch has no end');
  }
}
