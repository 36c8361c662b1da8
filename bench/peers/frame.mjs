// Mayfly's guest ABI (docs/reference/guest-abi.md) for hosts in plain JavaScript: the same module runs in every peer.
const encoder = new TextEncoder();
const METHODS = { GET: 1, POST: 2 };
const HEAD = 40;
const ENTRY = 16;

/** What the module imports, with nothing behind it that costs anything. */
export const imports = {
  mayfly: { log() {}, config: () => -1, now: () => Date.now(), random() {} },
  env: {
    abort() {
      throw new Error('aborted');
    },
    seed: () => 1,
  },
};

/** Runs one request: `body` is a Uint8Array, `headers` pairs, `user` the claims or null. Returns { status, body }, body a copy. */
export function call(exports, method, path, headers, user, body) {
  let text = path;
  for (const [name, value] of headers) text += name + value;
  const claims = user === null ? '' : JSON.stringify(user);
  const textBytes = encoder.encode(text);
  const userBytes = encoder.encode(claims);
  const textAt = HEAD + headers.length * ENTRY;
  const userAt = textAt + textBytes.length;
  const bodyAt = userAt + userBytes.length;
  const length = bodyAt + body.length;
  const pointer = exports.alloc(length) >>> 0;
  const bytes = new Uint8Array(exports.memory.buffer, pointer, length);
  const view = new DataView(exports.memory.buffer, pointer, length);
  const words = [
    textAt,
    path.length,
    0,
    0,
    userBytes.length > 0 ? userAt : 0,
    userBytes.length,
    bodyAt,
    body.length,
    textBytes.length,
  ];
  view.setUint8(0, 1);
  view.setUint8(1, METHODS[method]);
  view.setUint16(2, headers.length, true);
  for (let i = 0; i < words.length; i++) view.setUint32(4 + i * 4, words[i], true);
  let at = textAt + path.length;
  for (let i = 0; i < headers.length; i++) {
    const [name, value] = headers[i];
    const entry = HEAD + i * ENTRY;
    view.setUint32(entry, at, true);
    view.setUint32(entry + 4, name.length, true);
    view.setUint32(entry + 8, at + name.length, true);
    view.setUint32(entry + 12, value.length, true);
    at += name.length + value.length;
  }
  bytes.set(textBytes, textAt);
  bytes.set(userBytes, userAt);
  bytes.set(body, bodyAt);
  return answer(exports.memory, BigInt.asUintN(64, exports.handle(pointer, length)));
}

function answer(memory, packed) {
  const start = Number(packed >> 32n);
  const view = new DataView(memory.buffer, start);
  const bodyStart = start + 16 + view.getUint32(8, true);
  return {
    status: view.getUint16(2, true),
    body: new Uint8Array(memory.buffer).slice(bodyStart, bodyStart + view.getUint32(12, true)),
  };
}

/** How many requests one instance serves where state is shared: functions for Mayfly never free memory. */
export const REUSE = 500;
