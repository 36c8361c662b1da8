import type { LimitKey } from '../limits/key.ts';
import type { ReusableInput } from './policy-input.ts';

/** What is worked out once for a session on a route and used for each of its requests. */
export interface SessionRoute {
  input: ReusableInput | null;
  limitKey: LimitKey | null;
}
