/** All questions, in the order of the results page. */
import type { Question } from './lib/question.ts';
import { scriptQuestion } from './lib/script-question.ts';
import { coldStart } from './questions/cold-start.ts';
import { gateway } from './questions/gateway.ts';
import { hostile } from './questions/hostile.ts';
import { overload } from './questions/overload.ts';
import { paced } from './questions/paced.ts';
import { pods } from './questions/pods.ts';
import { stages } from './questions/stages.ts';
import { scale } from './questions/scale.ts';
import { tls } from './questions/tls.ts';

const freshState = scriptQuestion(
  {
    name: 'fresh-state',
    title: 'What does fresh state per request cost?',
    meaning:
      'Rewriting, instrumented code against the original, restores, instances and deadlines, below the gateway.',
  },
  'fresh-state.ts',
);

const policy = scriptQuestion(
  {
    name: 'policy',
    title: 'What does a decision of a policy cost?',
    meaning:
      "OPA's JavaScript SDK, this platform's Wasm host, and the plan translated to JavaScript, on one thread.",
  },
  'policy.ts',
);

export const questions: readonly Question[] = [
  gateway,
  paced,
  tls,
  stages,
  freshState,
  policy,
  coldStart,
  scale,
  hostile,
  overload,
  pods,
];
