// The shop's module in workerd. Path /fresh: a new instance for every request; any other path: one that is used again.
import { call, imports, REUSE } from './frame.mjs';
import module from './function.wasm';

let shared = new WebAssembly.Instance(module, imports).exports;
let served = 0;

function instanceFor(request) {
  if (request.url.endsWith('/fresh')) return new WebAssembly.Instance(module, imports).exports;
  if (++served % REUSE === 0) shared = new WebAssembly.Instance(module, imports).exports;
  return shared;
}

export default {
  async fetch(request) {
    const body = new Uint8Array(await request.arrayBuffer());
    const answer = call(
      instanceFor(request),
      request.method,
      '/api/function',
      [...request.headers],
      null,
      body,
    );
    return new Response(answer.body, {
      status: answer.status,
      headers: { 'content-type': 'application/json' },
    });
  },
};
