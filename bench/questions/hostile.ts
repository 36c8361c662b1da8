import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capacityOf, startShop } from '../lib/capacity.ts';
import { h2load, type LoadResult, medianLoad } from '../lib/load.ts';
import { shopFolder } from '../lib/mayfly.ts';
import { digits, thousands } from '../lib/markdown.ts';
import { type Answer, atMost, type Question, type RunOptions } from '../lib/question.ts';
import { median } from '../lib/statistics.ts';
import { assemble } from '../lib/wat.ts';

const GUEST = join(import.meta.dirname, '../../test/fixtures/hostile/guest.wat');

/** The guest does what the first letter of its path says. */
const HOSTILE = [
  { name: 'endless loop', letter: 'l' },
  { name: 'memory hog', letter: 'g' },
  { name: 'trap storm', letter: 't' },
  { name: 'huge responses', letter: 'b' },
] as const;
type Hostile = (typeof HOSTILE)[number];

const ATTACKS_PER_SECOND = 200;
const ATTACK_CONNECTIONS = 16;

export const hostile: Question = {
  name: 'hostile',
  title: 'What does a neighbour notice of hostile functions?',
  meaning: `The shop gets half of its capacity at a constant rate (h2load, 64 connections) while other functions of the
same server are called ${ATTACKS_PER_SECOND} times a second each over ${ATTACK_CONNECTIONS} connections: one that never
ends (CPU budget 100 ms), one that takes all the memory it may have (64 MiB), one that always traps, and one that answers
120 KB. The figures are the shop's, but the last: what the attackers got, good answers and refusals. All load generators run on the same two cores, so a part of what is added is theirs.`,
  run,
};

async function run(options: RunOptions): Promise<Answer> {
  const { quick, scratch, say } = options;
  writeFileSync(join(shopFolder(scratch), 'hostile.wasm'), await assemble(readFileSync(GUEST, 'utf8')));
  const functions = Object.fromEntries(
    HOSTILE.map(({ name, letter }) => [
      name.replace(' ', '-'),
      {
        source: './hostile.wasm',
        routes: [{ path: `/${letter}`, auth: 'public', policy: false }],
        cpu_budget: '100ms',
        memory_limit: '64Mi',
      },
    ]),
  );
  const shop = await startShop(options, { functions });
  try {
    const capacity = await capacityOf(shop, options);
    const rate = capacity / 2;
    say(`capacity ${thousands(capacity)}`);
    const [loop, memory, traps, huge] = HOSTILE;
    const cases: readonly (readonly Hostile[])[] = [
      [],
      ...HOSTILE.map((one) => [one]),
      [loop, memory],
      [loop, memory, traps],
      [loop, memory, traps, huge],
    ];
    const seconds = quick ? 2 : 6;
    const runs = cases.map((): LoadResult[] => []);
    /** What attackers got, by case: answers a second of all of them together. */
    const attacks = cases.map((): number[] => []);
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      for (const [index, attackers] of cases.entries()) {
        const fire = attackers.map(({ letter }) =>
          h2load(
            { port: shop.port, path: `/${letter}`, body: 'x', headers: {} },
            {
              connections: ATTACK_CONNECTIONS,
              seconds: seconds + 1,
              requestsPerSecond: ATTACKS_PER_SECOND,
              scratch,
            },
          ),
        );
        const paceOptions = { connections: 64, seconds, requestsPerSecond: rate, scratch };
        const result = await h2load(shop.target, paceOptions);
        (runs[index] as LoadResult[]).push(result);
        const got = await Promise.all(fire);
        (attacks[index] as number[]).push(got.reduce((sum, attack) => sum + answersOf(attack), 0));
        say(`${nameOf(attackers)}: p99 ${digits(result.p99Ms)} ms`);
      }
    }
    const medians = runs.map(medianLoad);
    const worst = Math.max(...medians.slice(1).map(({ p99Ms }) => p99Ms));
    return {
      tables: [
        {
          title: `The shop at ${thousands(rate)}/s, half of its capacity`,
          head: [
            'beside it',
            'shop requests/s',
            'p50 ms',
            'p99 ms',
            'p99.9 ms',
            'max ms',
            'errors',
            'attackers got answers/s',
          ],
          rows: medians.map((load, index) => [
            nameOf(cases[index] as readonly Hostile[]),
            thousands(load.requestsPerSecond),
            ...[load.p50Ms, load.p99Ms, load.p999Ms, load.maxMs].map(digits),
            load.errors,
            thousands(median(attacks[index] as number[])),
          ]),
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'hostile',
          title: "The neighbour's p99 beside hostile functions",
          unit: 'ms',
          bars: medians.map(({ p99Ms }, index) => ({
            label: nameOf(cases[index] as readonly Hostile[]),
            value: p99Ms,
            highlight: index === 0,
          })),
        },
      ],
      targets: [atMost("the neighbour's p99 ms in the worst case", 20, worst, digits)],
      raw: { capacity, cases: cases.map(nameOf), runs, attacks },
    };
  } finally {
    await shop.server.stop();
  }
}

/** Good ones and errors: that it is served at all is not what an attacker is promised. */
function answersOf({ requestsPerSecond, requests, errors }: LoadResult): number {
  return requests === 0 ? errors : requestsPerSecond * (1 + errors / requests);
}

function nameOf(attackers: readonly Hostile[]): string {
  if (attackers.length === HOSTILE.length) return 'all four';
  return attackers.length === 0 ? 'nobody' : attackers.map(({ name }) => name).join(' + ');
}
