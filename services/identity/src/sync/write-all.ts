import { LatchkeyError } from '@latchkey/core/errors';
import pRetry from 'p-retry';
import { storable, storableJson } from '#core/payload.ts';
import type { IdentityRecord, JsonObject } from '#core/records.ts';
import type { Writer } from './writer.ts';

/** A record that the database does not take, and its reason. */
export interface RefusedRecord {
  readonly record: IdentityRecord;
  readonly reason: string;
}

/** As many rows as the writer puts into one mutation; a membership brings two more along. */
const MAX_BATCH_ROWS = 200;

/**
 * Writes any number of records, in as many mutations as the writer has under way at once. An engine
 * that is away for a moment is waited for; what the database does not take is left out and told.
 *
 * @throws LatchkeyError as {@link Writer.write} does, where it does not pass
 */
export async function writeAll(
  writer: Pick<Writer, 'write'>,
  records: readonly IdentityRecord[],
  signal?: AbortSignal,
): Promise<RefusedRecord[]> {
  const refused = await Promise.all(batches(records).map((batch) => writeBatch(writer, batch, signal)));
  return refused.flat();
}

function batches(records: readonly IdentityRecord[]): IdentityRecord[][] {
  const all: IdentityRecord[][] = [];
  let rows = MAX_BATCH_ROWS;
  for (const record of records) {
    const size = record.kind === 'membership' ? 3 : 1;
    if (rows + size > MAX_BATCH_ROWS) {
      all.push([]);
      rows = 0;
    }
    all.at(-1)?.push(record);
    rows += size;
  }
  return all;
}

async function writeBatch(
  writer: Pick<Writer, 'write'>,
  records: readonly IdentityRecord[],
  signal: AbortSignal | undefined,
): Promise<RefusedRecord[]> {
  try {
    await writeWithRetry(writer, records, signal);
    return [];
  } catch (error) {
    if (!(error instanceof LatchkeyError && error.code === 'record-refused')) throw error;
    const [record] = records;
    if (record === undefined) return [];
    if (records.length === 1) {
      const clean = withoutUnstorable(record);
      return clean === undefined ? [{ record, reason: error.message }] : writeBatch(writer, [clean], signal);
    }
    const middle = Math.ceil(records.length / 2);
    const halves = [records.slice(0, middle), records.slice(middle)];
    return (await Promise.all(halves.map((half) => writeBatch(writer, half, signal)))).flat();
  }
}

/** Waits for an engine that is away or busy: half a minute in all. */
async function writeWithRetry(
  writer: Pick<Writer, 'write'>,
  records: readonly IdentityRecord[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await pRetry(() => writer.write(records), {
    retries: 7,
    minTimeout: 250,
    maxTimeout: 15_000,
    signal,
    shouldRetry: ({ error }) =>
      error instanceof LatchkeyError && error.retriable && error.code !== 'shutting-down',
  });
}

/** @returns undefined where there is no character in it that PostgreSQL refuses */
function withoutUnstorable(record: IdentityRecord): IdentityRecord | undefined {
  const clean = withStorableTexts(record);
  return JSON.stringify(clean) === JSON.stringify(record) ? undefined : clean;
}

/** Ids stay as they are: with another one it would be somebody else. */
function withStorableTexts(record: IdentityRecord): IdentityRecord {
  const text = (value: string | null) => (value === null ? null : storable(value));
  const metadata = (value: JsonObject) =>
    Object.fromEntries(Object.entries(value).map(([key, part]) => [storable(key), storableJson(part)]));
  switch (record.kind) {
    case 'membership':
      return { ...record, role: text(record.role) };
    case 'organization':
      return {
        ...record,
        name: text(record.name),
        slug: text(record.slug),
        imageUrl: text(record.imageUrl),
        metadata: metadata(record.metadata),
      };
    case 'user':
      return {
        ...record,
        email: text(record.email),
        phone: text(record.phone),
        username: text(record.username),
        name: text(record.name),
        firstName: text(record.firstName),
        lastName: text(record.lastName),
        imageUrl: text(record.imageUrl),
        roles: record.roles.map(storable),
        metadata: metadata(record.metadata),
      };
  }
}
