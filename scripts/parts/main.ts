/**
 * node scripts/parts/main.ts NAME…        brings parts, one after the other, and prints their folders
 *   --tests     all that `npm test` uses        --all   everything, the load generator too
 *   --list      what there is                   --background   in a process of its own, at the lowest priority
 */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type PartName, catalogue } from './catalogue.ts';
import { part } from './part.ts';
import type { Recipe } from './recipe.ts';
import { partsFolder } from './store.ts';

const LOWEST_PRIORITY = 19;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean' },
    tests: { type: 'boolean' },
    list: { type: 'boolean' },
    background: { type: 'boolean' },
  },
});
const everything = Object.entries(catalogue) as [PartName, Recipe][];
const names = everything
  .filter(([name, recipe]) => values.all || positionals.includes(name) || (values.tests && !recipe.deep))
  .map(([name]) => name);
const unknown = positionals.filter((name) => !(name in catalogue));

if (unknown.length > 0 || (names.length === 0 && !values.list)) {
  console.error(unknown.length > 0 ? `There is no part ${unknown.join(', ')}.` : 'Which parts? Or --all.');
  console.error(`Parts: ${Object.keys(catalogue).join(', ')}`);
  process.exitCode = 2;
} else if (values.list) list();
else if (values.background) inBackground();
else await bringAll();

function list(): void {
  for (const [name, { version, about, minutes }] of everything) {
    const cost = minutes === undefined ? '' : ` [builds for about ${minutes} min]`;
    console.log(`${name.padEnd(20)} ${version}: ${about}${cost}`);
  }
}

function inBackground(): void {
  mkdirSync(join(partsFolder(), 'logs'), { recursive: true });
  const file = join(partsFolder(), 'logs', 'background.log');
  const log = openSync(file, 'a');
  const child = spawn(process.execPath, [import.meta.filename, ...names], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  if (child.pid !== undefined) setPriority(child.pid, LOWEST_PRIORITY);
  child.unref();
  console.log(
    `Bringing ${names.join(', ')} in the background (process ${child.pid}); ${file} tells how far.`,
  );
}

async function bringAll(): Promise<void> {
  for (const name of names) {
    const started = performance.now();
    const found = await part(name);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if ('missing' in found) {
      console.error(`${name}: ${found.missing}`);
      process.exitCode = 1;
    } else console.log(`${name} ${found.version} (${seconds} s): ${found.folder}`);
  }
}
