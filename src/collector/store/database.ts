/** Opens the SQLite file: durable commits, the current tables, and one error for everything that SQLite refuses. */

import Database from 'better-sqlite3';
import { PopprobeError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { MIGRATIONS } from './schema.ts';

/**
 * Opens or creates the file and brings its tables up to date.
 *
 * @throws PopprobeError `store_unusable` when the file cannot be opened or written, is no database, or was written by
 * a newer version.
 */
export function openDatabase(file: string): Database.Database {
  return guarded(`the database ${file}`, () => {
    const database = new Database(file, { timeout: LIMITS.storeBusyTimeoutMs });
    try {
      // FULL: a commit returns after its fsync, so that what was acknowledged survives a power cut.
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.pragma('foreign_keys = ON');
      database.transaction(migrate).immediate(database, file);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/**
 * Opens a file that a collector has left, to read it: nothing of it changes.
 *
 * @throws PopprobeError `store_unusable` when there is no such file, it is no database, or another version wrote it.
 */
export function openDatabaseToRead(file: string): Database.Database {
  return guarded(`the database ${file}`, () => {
    const database = new Database(file, { readonly: true, timeout: LIMITS.storeBusyTimeoutMs });
    try {
      const version = versionOf(database);
      if (version === MIGRATIONS.length) return database;
      throw new PopprobeError('store_unusable', {
        expected: `a database of version ${MIGRATIONS.length}`,
        found: `version ${version} in ${file}`,
        remedy: 'read it with the popprobe version that wrote it',
      });
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function versionOf(database: Database.Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

function migrate(database: Database.Database, file: string): void {
  const version = versionOf(database);
  if (version > MIGRATIONS.length) {
    throw new PopprobeError('store_unusable', {
      expected: `a database of version ${MIGRATIONS.length} or older`,
      found: `version ${version} in ${file}`,
      remedy: 'start the popprobe version that wrote it, or a newer one',
    });
  }
  for (const step of MIGRATIONS.slice(version)) database.exec(step);
  database.pragma(`user_version = ${MIGRATIONS.length}`);
}

/**
 * Runs an action on the database.
 *
 * @param what the thing that was to be used, for the reader of the error.
 * @throws PopprobeError `store_unusable` for whatever SQLite itself throws; PopprobeErrors pass through.
 */
export function guarded<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof PopprobeError) throw cause;
    const found = cause instanceof Database.SqliteError ? `${cause.code}: ${cause.message}` : String(cause);
    throw new PopprobeError('store_unusable', {
      expected: `${what} to be readable and writable`,
      found,
      remedy: 'look at free space, permissions and the disk; nothing was stored, and senders try again',
      cause,
    });
  }
}
