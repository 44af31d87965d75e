import { type ErrorCode, LatchkeyError } from '@latchkey/core/errors';
import { expect } from 'vitest';
import type { LedgerEntry } from '#core/deliveries.ts';
import { type IdentityRecord, stubUser } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import type { WriteBatchMutationVariables } from '#hasura/generated/documents.ts';
import type { Writer, WriterOptions } from '#sync/writer.ts';

export type Batch = WriteBatchMutationVariables;

export const rows = <T>(list: T | T[]): T[] => (Array.isArray(list) ? list : [list]);

export const deliveriesOf = (batch: Batch) => rows(batch.deliveries);

export const RESULT = {
  retried: null,
  erased: null,
  insert_identity_deliveries: null,
  insert_organizations: null,
  insert_users: null,
  insert_organization_memberships: null,
};

/** An engine that answers when it is told to, and refuses what it is told to refuse. */
export function fakeEngine({
  refuse,
  manual = false,
}: {
  refuse?: (batch: Batch) => ErrorCode | undefined;
  manual?: boolean;
} = {}) {
  const batches: Batch[] = [];
  const waiting: (() => void)[] = [];
  let most = 0;
  let underWay = 0;
  const engine: Pick<HasuraClient, 'writeBatch'> = {
    async writeBatch(batch) {
      batches.push(batch);
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise<void>((resolve) => (manual ? waiting.push(resolve) : setImmediate(resolve)));
      underWay -= 1;
      const code = refuse?.(batch);
      if (code !== undefined) throw new LatchkeyError(code, `${code} it is`);
      return RESULT;
    },
  };
  return {
    engine,
    batches,
    answer: () => waiting.shift()?.(),
    mostAtOnce: () => most,
  };
}

export interface Write {
  readonly records: readonly IdentityRecord[];
  readonly delivery: LedgerEntry;
}

/** @returns what of the committed row a write decides */
export async function write(writer: Writer, { delivery, records }: Write) {
  const { status, error } = await writer.writeDelivery(delivery, records);
  return { status, error };
}

export function entry(index: number, changes: Partial<LedgerEntry> = {}): Write {
  const id = `user_${index}`;
  const delivery: LedgerEntry = {
    id: `msg_${String(index).padStart(4, '0')}`,
    provider: 'clerk',
    tenant: '',
    type: 'user.updated',
    subject: id,
    payload: { index },
    bytes: 100,
    receivedAt: 1767225600000,
    status: 'applied',
    error: null,
    ...changes,
  };
  return { records: [{ ...stubUser({ provider: 'clerk', tenant: '', id }), clock: 10 + index }], delivery };
}

export const OPTIONS: WriterOptions = { inFlight: 1, queueLimit: 1000 };

export const applied = { status: 'applied', error: null };

export const code = (name: ErrorCode) => expect.objectContaining({ code: name });
