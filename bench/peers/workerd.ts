import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../lib/process.ts';
import { PATH } from '../lib/workload.ts';
import { copyHere, launch, type Materials, type Peer, rootOf } from './peer.ts';

/** Cloudflare's runtime with the same module: one instance that is used again, and a new one for every request. */
export function workerdPeers(materials: Materials): Peer[] {
  const { scratch, module, packages } = materials;
  const peer = (name: string, does: string, path: string, quick: boolean): Peer => ({
    name,
    does,
    path,
    quick,
    missing: 'missing' in packages ? packages.missing : null,
    start: async () => {
      const port = await freePort();
      const folder = copyHere(scratch, `workerd-${port}`, ['workerd.mjs', 'frame.mjs']);
      cpSync(module, join(folder, 'function.wasm'));
      const file = join(folder, 'config.capnp');
      writeFileSync(file, configuration(port));
      const program = join(rootOf(packages), 'node_modules/@cloudflare/workerd-linux-64/bin/workerd');
      return { port, server: launch(scratch, `workerd-${port}`, [program, 'serve', file]) };
    },
  });
  return [
    peer('workerd, shared', 'bare handler, same Wasm, state shared, 1 process', PATH, true),
    peer('workerd, fresh', 'bare handler, same Wasm, new instance each request', '/fresh', false),
  ];
}

function configuration(port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [
    (name = "workerd.mjs", esModule = embed "workerd.mjs"),
    (name = "frame.mjs", esModule = embed "frame.mjs"),
    (name = "function.wasm", wasm = embed "function.wasm")
  ],
  compatibilityDate = "2026-01-01"
);
`;
}
