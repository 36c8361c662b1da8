/** The last rollout of each function, in SQLite: goes with its function, survives everything else. */
import type { Position } from '../rollout/decide.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import type { RolloutRecord } from './rollouts.ts';
import type { Database, SqlRow } from './sqlite.ts';

export const ROLLOUT_TABLE = `CREATE TABLE rollouts (
  function TEXT PRIMARY KEY REFERENCES functions ON DELETE CASCADE, candidate INTEGER NOT NULL, stable INTEGER NOT NULL,
  plan TEXT NOT NULL, position TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('running', 'paused', 'done', 'rolled-back', 'aborted')),
  reason TEXT, changed_at INTEGER NOT NULL) STRICT`;

export interface RolloutTable {
  of(name: string): RolloutRecord | null;
  running(): RolloutRecord[];
  write(record: RolloutRecord): void;
}

export function rolloutTable(db: Database): RolloutTable {
  return {
    of(name) {
      const row = db.get('SELECT * FROM rollouts WHERE function = ?', name);
      return row === undefined ? null : toRollout(row);
    },
    running: () => db.all("SELECT * FROM rollouts WHERE phase = 'running' ORDER BY function").map(toRollout),
    write: (record) =>
      db.run(
        'INSERT OR REPLACE INTO rollouts VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        record.function,
        record.candidate,
        record.stable,
        JSON.stringify(record.plan),
        JSON.stringify(record.position),
        record.phase,
        record.reason,
        record.changedAt,
      ),
  };
}

function toRollout(row: SqlRow): RolloutRecord {
  return {
    function: String(row['function']),
    candidate: Number(row['candidate']),
    stable: Number(row['stable']),
    plan: JSON.parse(String(row['plan'])) as RolloutPlan,
    position: JSON.parse(String(row['position'])) as Position,
    phase: row['phase'] as RolloutRecord['phase'],
    reason: row['reason'] as string | null,
    changedAt: Number(row['changed_at']),
  };
}
