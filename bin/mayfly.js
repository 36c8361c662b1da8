#!/usr/bin/env node
// Plain JavaScript on purpose: it must say its one sentence on any Node, also one that cannot read TypeScript.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

const needed = 26;
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(
    `Cannot start: Mayfly needs Node ${needed} or newer (this is ${process.versions.node} at ${process.execPath}). ` +
      'Run it as `npx mayfly`, which brings its own Node.',
  );
  process.exit(1);
}
// Compiled code is kept from one run to the next: a command should not take a second to begin.
nodeModule.enableCompileCache();
const source = new URL('../src/cli/main.ts', import.meta.url);
// A clone runs its sources; a published package carries only what was emitted from them.
const entry = existsSync(source) ? source : new URL('../dist/src/cli/main.js', import.meta.url);
const { main } = await import(entry.href);
await main(process.argv.slice(2));
