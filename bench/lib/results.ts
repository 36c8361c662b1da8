import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import type { Answer, Question } from './question.ts';

const RESULTS = join(import.meta.dirname, '../results');

export function saveResult(question: Question, answer: Answer, machine: Machine, quick: boolean): void {
  mkdirSync(RESULTS, { recursive: true });
  const name = quick ? `${question.name}.quick.json` : `${question.name}.json`;
  writeFileSync(join(RESULTS, name), `${JSON.stringify({ machine, quick, ...answer }, null, 1)}\n`);
}

export function publish(_questions: readonly Question[]): string[] {
  return [];
}
