import { cpuTime, monotonic } from "../server/time";
import { settings } from "../settings";

/**
 * The time of a run, as its budgets have it: `cpu_budget` counts the CPU time of this thread, `request_timeout` the
 * wall clock. It begins at the first look, which a guest takes once in a while in its loops; short runs never look.
 */
let looked = false;
let cpuAtStart: i64 = 0;
let wallAtEnd: i64 = 0;
let wallMs: i64 = 0;
/** The run was found to have used up its wall-clock time. */
export let isLate = false;

/** A run begins that may take so long by the wall clock. */
export function startClock(milliseconds: i64): void {
  looked = false;
  isLate = false;
  wallMs = milliseconds;
}

/** CPU milliseconds used in this run, or more than any budget when the wall clock's are over. */
export function clock(): i64 {
  const cpu = cpuTime();
  const wall = monotonic();
  if (!looked) {
    looked = true;
    cpuAtStart = cpu;
    wallAtEnd = wall + wallMs;
  }
  isLate = wall >= wallAtEnd;
  return isLate ? i64.MAX_VALUE : cpu - cpuAtStart;
}

/** What `clock()` says when the budget is used up. */
export function budget(): i64 {
  return settings.cpuBudgetMs;
}
