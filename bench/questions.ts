/** All questions, in the order of the results page. */
import type { Question } from './lib/question.ts';
import { gateway } from './questions/gateway.ts';

export const questions: readonly Question[] = [gateway];
