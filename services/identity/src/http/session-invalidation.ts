import type { SessionUsers } from '#auth/session-users.ts';
import type { IdentityRecord } from '#core/records.ts';
import type { Writer } from '#sync/writer.ts';

/** What is written here holds for the hook at once, and not only when its rows are too old. */
export function withSessionInvalidation(writer: Writer, users: Pick<SessionUsers, 'forget'>): Writer {
  return {
    ...writer,
    async write(entry) {
      try {
        return await writer.write(entry);
      } finally {
        // Also where it is not known whether it was written.
        users.forget(entry.records.flatMap(userIdOf));
      }
    },
  };
}

function userIdOf(record: IdentityRecord): readonly string[] {
  if (record.kind === 'organization') return [];
  return [record.kind === 'user' ? record.id : record.userId];
}
