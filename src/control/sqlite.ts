/**
 * The only file that imports node:sqlite, because Node renames the class (`DatabaseSync` up to 26.10, `Database` after):
 * whichever is there is taken. Everybody else sees the small interface below.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import * as sqlite from 'node:sqlite';
import { MayflyError } from '../model/errors.ts';

export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface Database extends Disposable {
  run(sql: string, ...values: SqlValue[]): void;
  all(sql: string, ...values: SqlValue[]): SqlRow[];
  get(sql: string, ...values: SqlValue[]): SqlRow | undefined;
  /** All of `work` or nothing of it; on disk when the outermost one returns. */
  transaction<T>(work: () => T): T;
}

type DatabaseClass = typeof sqlite.DatabaseSync;
type Statement = sqlite.StatementSync;

const { DatabaseSync, Database } = sqlite as unknown as {
  readonly DatabaseSync?: DatabaseClass;
  readonly Database?: DatabaseClass;
};

/** Result codes of SQLite that have a cause the reader can remove (sqlite.org/rescode.html, primary codes). */
const explanations: Readonly<Record<number, readonly [state: string, fix: string]>> = {
  5: [
    'another process has it open',
    'Is another mayfly running with this state folder? Stop it or choose another.',
  ],
  8: ['it is read-only', 'Give this user write access to the folder.'],
  10: ['the disk reports an error', 'Check the disk and its free space.'],
  11: ['it is damaged', 'Move the file away and deploy again, or restore a copy.'],
  13: ['the disk is full', 'Free some space.'],
  14: ['the file cannot be opened', 'Does the folder exist, and may this user write there?'],
  26: ['it is not a SQLite file', 'Move the file away and deploy again, or restore a copy.'],
};

/** Opens the file for this process alone, in WAL mode, every commit flushed. Applies the migrations that it has not seen. */
export function openDatabase(path: string, migrations: readonly string[]): Database {
  const explain = <T>(what: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const known = explanations[((error as { errcode?: number }).errcode ?? 0) & 0xff];
      if (known === undefined) throw error;
      throw new MayflyError(`Cannot ${what} the state: ${known[0]}`, {
        where: path,
        fix: known[1],
        code: 'state-failed',
        cause: error,
      });
    }
  };

  createPrivately(path);
  const connection = explain('open', () => {
    const opened = new ((DatabaseSync ?? Database) as DatabaseClass)(path, { timeout: 1000 });
    try {
      opened.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      opened.exec('PRAGMA foreign_keys = ON');
      // The lock is taken by the first write: take it now, so that a second process learns at once that it is not alone.
      opened.exec('BEGIN EXCLUSIVE; COMMIT');
    } catch (error) {
      opened.close();
      throw error;
    }
    return opened;
  });

  const statements = new Map<string, Statement>();
  const prepared = (sql: string): Statement => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = connection.prepare(sql)));
    return statement;
  };

  const database: Database = {
    run: (sql, ...values) => void explain('write', () => prepared(sql).run(...values)),
    all: (sql, ...values) => explain('read', () => prepared(sql).all(...values)) as SqlRow[],
    get: (sql, ...values) => explain('read', () => prepared(sql).get(...values)) as SqlRow | undefined,
    transaction(work) {
      if (connection.isTransaction) return work();
      explain('write', () => connection.exec('BEGIN IMMEDIATE'));
      try {
        const result = work();
        explain('write', () => connection.exec('COMMIT'));
        return result;
      } catch (error) {
        // A failed COMMIT (full disk) may have ended the transaction already.
        if (connection.isTransaction) connection.exec('ROLLBACK');
        throw error;
      }
    },
    [Symbol.dispose]: () => connection.close(),
  };

  try {
    migrate(database, path, migrations);
  } catch (error) {
    connection.close();
    throw error;
  }
  return database;
}

/** Environment variables of functions are in there: only the owner may read. SQLite gives its other files the same mode. */
function createPrivately(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw new MayflyError(`Cannot open the state: ${(error as Error).message}`, {
      where: path,
      fix: 'Give this user write access to the folder, or choose another with state.directory.',
      code: 'state-failed',
      cause: error,
    });
  }
}

function migrate(database: Database, path: string, migrations: readonly string[]): void {
  const version = Number(database.get('PRAGMA user_version')?.['user_version'] ?? 0);
  if (version > migrations.length) {
    throw new MayflyError(
      `Cannot open the state: it was written by a newer Mayfly (version ${version} of it, this one knows ${migrations.length})`,
      { where: path, fix: 'Start the newer Mayfly, or choose another state folder.', code: 'state-too-new' },
    );
  }
  for (let next = version; next < migrations.length; next++) {
    database.transaction(() => {
      for (const statement of (migrations[next] as string).split(';')) {
        if (statement.trim() !== '') database.run(statement);
      }
      database.run(`PRAGMA user_version = ${next + 1}`);
    });
  }
}
