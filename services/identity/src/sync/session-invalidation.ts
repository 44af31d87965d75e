import type { IdentityRecord } from '#core/records.ts';
import type { Writer } from './writer.ts';

/** The auth hook's cache of users. */
export interface SessionCache {
  /** Has these users read anew when they are next asked for. */
  forget(ids: Iterable<string>): void;
}

/** A writer after whose writes the auth hook uses the new rows at once, and not only when its cache expires. */
export function withSessionInvalidation(writer: Writer, users: SessionCache): Writer {
  async function andForget<T>(written: Promise<T>, records: readonly IdentityRecord[]): Promise<T> {
    try {
      return await written;
    } finally {
      // After an error too: the rows may have been written.
      users.forget(records.flatMap(userIdOf));
    }
  }
  return {
    write: (records) => andForget(writer.write(records), records),
    writeDelivery: (entry, records) => andForget(writer.writeDelivery(entry, records), records),
    close: () => writer.close(),
  };
}

function userIdOf(record: IdentityRecord): readonly string[] {
  if (record.kind === 'organization') return [];
  return [record.kind === 'user' ? record.id : record.userId];
}
