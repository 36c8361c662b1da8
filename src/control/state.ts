/**
 * What the control plane remembers, in SQLite: functions, their immutable revisions, who gets the traffic, and who did what.
 * Every change is one transaction, flushed to disk before it is acknowledged; a process killed at any point leaves either
 * the old state or the new one.
 */
import type { Clock } from '../model/clock.ts';
import type { Kind } from '../model/function.ts';
import { MAX_FUNCTIONS } from '../model/shared.ts';
import {
  noSuchFunction,
  noSuchRevision,
  revisionKey,
  type AuditEvent,
  type Configuration,
  type DeployRecord,
  type FunctionRecord,
  type Owner,
  type Revision,
} from './records.ts';
import { ROLLOUT_TABLE, rolloutTable, type RolloutTable } from './rollout-table.ts';
import { nextSlot } from './slots.ts';
import { openDatabase, type SqlRow } from './sqlite.ts';
import type { Traffic } from './traffic.ts';

export interface State extends Disposable {
  functions(): FunctionRecord[];
  function(name: string): FunctionRecord | null;
  /** Newest first. */
  revisions(name: string): Revision[];
  revision(name: string, number: number): Revision | null;
  /** Digests of all revisions: what the artifact store must keep. */
  digests(): Set<string>;
  /** Newest first. */
  events(limit: number, name?: string): AuditEvent[];

  /** Same digest and same configuration: the same revision again, `created` is false. */
  deploy(record: DeployRecord): { readonly revision: Revision; readonly created: boolean };
  /** The same code came from elsewhere this time; nothing where there is no such revision. `key`: `revisionKey`. */
  noteSource(name: string, key: string, source: string): void;
  /** `traffic` null: it stays, but what happened is noted. */
  setTraffic(
    name: string,
    traffic: Traffic | null,
    action: AuditEvent['action'],
    actor: string,
    reason?: string | null,
  ): void;
  /** A change of one goes into the transaction of the change of traffic (`together`). */
  readonly rollouts: RolloutTable;
  remove(name: string, actor: string): void;
  /** Several changes as one: all or none. */
  together<T>(work: () => T): T;
}

export interface StateOptions {
  readonly clock: Clock;
  /** Revisions kept per function beside those that have traffic. */
  readonly keepRevisions?: number;
}

const KEEP_EVENTS = 10_000;

const migrations = [
  `CREATE TABLE functions (
     name TEXT PRIMARY KEY, slot INTEGER NOT NULL UNIQUE, owner TEXT NOT NULL CHECK (owner IN ('file', 'api')),
     settings TEXT NOT NULL, file_key TEXT) STRICT;
   CREATE TABLE revisions (
     function TEXT NOT NULL REFERENCES functions ON DELETE CASCADE, number INTEGER NOT NULL, key TEXT NOT NULL,
     digest TEXT NOT NULL, bytes INTEGER NOT NULL, kind TEXT NOT NULL, configuration TEXT NOT NULL, source TEXT NOT NULL,
     created_at INTEGER NOT NULL, created_by TEXT NOT NULL,
     PRIMARY KEY (function, number), UNIQUE (function, key)) STRICT;
   CREATE TABLE traffic (
     function TEXT NOT NULL, revision INTEGER NOT NULL, weight INTEGER NOT NULL CHECK (weight BETWEEN 1 AND 100),
     PRIMARY KEY (function, revision),
     FOREIGN KEY (function, revision) REFERENCES revisions ON DELETE CASCADE) STRICT;
   CREATE TABLE events (
     id INTEGER PRIMARY KEY, time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, function TEXT NOT NULL,
     detail TEXT NOT NULL) STRICT;
   CREATE TABLE last_numbers (function TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;
   CREATE TABLE last_slot (slot INTEGER NOT NULL) STRICT;
   INSERT INTO last_slot VALUES (-1)`,
  ROLLOUT_TABLE,
];

export function openState(file: string, options: StateOptions): State {
  const { clock, keepRevisions = 50 } = options;
  const db = openDatabase(file, migrations);

  const trafficOf = (name: string): Traffic =>
    db
      .all('SELECT revision, weight FROM traffic WHERE function = ? ORDER BY revision', name)
      .map((row) => ({ revision: Number(row['revision']), weight: Number(row['weight']) }));

  const toFunction = (row: SqlRow): FunctionRecord => ({
    name: String(row['name']),
    slot: Number(row['slot']),
    owner: row['owner'] as Owner,
    settings: JSON.parse(String(row['settings'])),
    fileKey: row['file_key'] as string | null,
    traffic: trafficOf(String(row['name'])),
  });

  const find = (name: string): FunctionRecord | null => {
    const row = db.get('SELECT * FROM functions WHERE name = ?', name);
    return row === undefined ? null : toFunction(row);
  };

  const findRevision = (name: string, number: number): Revision | null => {
    const row = db.get('SELECT * FROM revisions WHERE function = ? AND number = ?', name, number);
    return row === undefined ? null : toRevision(row);
  };

  const writeTraffic = (name: string, traffic: Traffic) => {
    if (traffic.reduce((sum, share) => sum + share.weight, 0) !== 100) {
      throw new Error(`the traffic of ${name} does not sum to 100: ${JSON.stringify(traffic)}`);
    }
    db.run('DELETE FROM traffic WHERE function = ?', name);
    for (const { revision, weight } of traffic) {
      db.run('INSERT INTO traffic VALUES (?, ?, ?)', name, revision, weight);
    }
  };

  const note = (event: Omit<AuditEvent, 'time'>) => {
    db.run(
      'INSERT INTO events (time, actor, action, function, detail) VALUES (?, ?, ?, ?, ?)',
      clock.now(),
      event.actor,
      event.action,
      event.function,
      JSON.stringify(event.detail),
    );
    db.run('DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?', KEEP_EVENTS);
  };

  const takeSlot = (): number => {
    const taken = new Set(db.all('SELECT slot FROM functions').map((row) => Number(row['slot'])));
    const last = Number(db.get('SELECT slot FROM last_slot')?.['slot']);
    const slot = nextSlot(taken, last, MAX_FUNCTIONS);
    db.run('UPDATE last_slot SET slot = ?', slot);
    return slot;
  };

  const takeNumber = (name: string): number =>
    Number(
      db.get(
        'INSERT INTO last_numbers VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1 RETURNING number',
        name,
      )?.['number'],
    );

  const upsertFunction = (record: DeployRecord, key: string) => {
    const settings = JSON.stringify(record.settings ?? null);
    const fileKey = record.owner === 'file' ? (record.fileKey ?? key) : null;
    const before = find(record.function);
    if (before === null) {
      db.run(
        'INSERT INTO functions VALUES (?, ?, ?, ?, ?)',
        record.function,
        takeSlot(),
        record.owner,
        settings,
        fileKey,
      );
    } else if (record.owner === 'file') {
      db.run(
        "UPDATE functions SET owner = 'file', settings = 'null', file_key = ? WHERE name = ?",
        fileKey,
        record.function,
      );
    } else if (before.owner === 'api') {
      db.run('UPDATE functions SET settings = ? WHERE name = ?', settings, record.function);
    }
    return before;
  };

  const noteSource = (name: string, key: string, source: string) =>
    db.run(
      'UPDATE revisions SET source = ?3 WHERE function = ?1 AND key = ?2 AND source <> ?3',
      name,
      key,
      source,
    );

  const findOrCreateRevision = (record: DeployRecord, key: string) => {
    const known = db.get('SELECT * FROM revisions WHERE function = ? AND key = ?', record.function, key);
    if (known !== undefined) {
      noteSource(record.function, key, record.source);
      return { revision: toRevision({ ...known, source: record.source }), created: false };
    }
    const number = takeNumber(record.function);
    db.run(
      'INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      record.function,
      number,
      key,
      record.digest,
      record.bytes,
      record.kind,
      JSON.stringify(record.configuration),
      record.source,
      clock.now(),
      record.actor,
    );
    return { revision: findRevision(record.function, number) as Revision, created: true };
  };

  const forgetOldRevisions = (name: string) => {
    db.run(
      `DELETE FROM revisions WHERE function = ?1
       AND number NOT IN (SELECT revision FROM traffic WHERE function = ?1)
       AND number NOT IN (SELECT number FROM revisions WHERE function = ?1 ORDER BY number DESC LIMIT ?2)`,
      name,
      keepRevisions,
    );
  };

  return {
    functions: () => db.all('SELECT * FROM functions ORDER BY name').map(toFunction),
    function: find,
    revisions: (name) =>
      db.all('SELECT * FROM revisions WHERE function = ? ORDER BY number DESC', name).map(toRevision),
    revision: findRevision,
    digests: () =>
      new Set(db.all('SELECT DISTINCT digest FROM revisions').map((row) => String(row['digest']))),
    events: (limit, name) =>
      db
        .all(
          'SELECT * FROM events WHERE ?1 IS NULL OR function = ?1 ORDER BY id DESC LIMIT ?2',
          name ?? null,
          limit,
        )
        .map(toEvent),

    deploy: (record) =>
      db.transaction(() => {
        const name = record.function;
        const key = revisionKey(record.digest, record.configuration);
        upsertFunction(record, key);
        const { revision, created } = findOrCreateRevision(record, key);
        const traffic = record.route(trafficOf(name), revision.number);
        writeTraffic(name, traffic);
        forgetOldRevisions(name);
        note({
          actor: record.actor,
          action: 'deploy',
          function: name,
          detail: { revision: revision.number, digest: revision.digest, created, traffic },
        });
        return { revision, created };
      }),

    noteSource,
    setTraffic: (name, traffic, action, actor, reason = null) =>
      db.transaction(() => {
        if (find(name) === null) throw noSuchFunction(name);
        for (const { revision } of traffic ?? []) {
          if (findRevision(name, revision) === null) throw noSuchRevision(name, revision);
        }
        if (traffic !== null) writeTraffic(name, traffic);
        const why = reason === null ? {} : { reason };
        note({ actor, action, function: name, detail: { ...(traffic && { traffic }), ...why } });
      }),
    rollouts: rolloutTable(db),

    remove: (name, actor) =>
      db.transaction(() => {
        if (find(name) === null) throw noSuchFunction(name);
        db.run('DELETE FROM functions WHERE name = ?', name);
        note({ actor, action: 'remove', function: name, detail: {} });
      }),

    together: (work) => db.transaction(work),

    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}

function toRevision(row: SqlRow): Revision {
  return {
    function: String(row['function']),
    number: Number(row['number']),
    digest: String(row['digest']),
    bytes: Number(row['bytes']),
    kind: row['kind'] as Kind,
    configuration: JSON.parse(String(row['configuration'])) as Configuration,
    source: String(row['source']),
    createdAt: Number(row['created_at']),
    createdBy: String(row['created_by']),
  };
}

function toEvent(row: SqlRow): AuditEvent {
  return {
    time: Number(row['time']),
    actor: String(row['actor']),
    action: row['action'] as AuditEvent['action'],
    function: String(row['function']),
    detail: JSON.parse(String(row['detail'])) as Record<string, unknown>,
  };
}
