import { LatchkeyError } from '@latchkey/core/errors';
import type { Delivery, DeliveryResult, LedgerEntry, ParsedDelivery } from '#core/deliveries.ts';
import type { Webhooks } from '#providers/provider.ts';
import type { Writer } from './writer.ts';

/**
 * Takes an authenticated delivery all the way into the database and the ledger.
 *
 * @throws LatchkeyError what {@link Writer.writeDelivery} and the provider's API throw: nothing is stored then,
 * and the provider must send it again
 */
export async function deliver(
  webhooks: Pick<Webhooks, 'parse'>,
  writer: Pick<Writer, 'writeDelivery'>,
  delivery: Delivery,
): Promise<DeliveryResult> {
  const parsed = await webhooks.parse(delivery);
  const records = parsed.kind === 'records' ? parsed.records : [];
  const { type, status, error } = await writer.writeDelivery(ledgerEntry(delivery, parsed), records);
  return { type, status, error, isPartial: parsed.kind === 'records' && parsed.isPartial === true };
}

/**
 * What the sender is told of a dead delivery.
 * @returns undefined where it was applied or ignored
 */
export function toHttpError({ status, type, error }: DeliveryResult): LatchkeyError | undefined {
  if (status !== 'dead') return undefined;
  return new LatchkeyError(
    'payload-malformed',
    `The delivery (${type}) was kept as dead: ${error ?? 'unknown'}`,
  );
}

function ledgerEntry({ id, provider, receivedAt, body }: Delivery, parsed: ParsedDelivery): LedgerEntry {
  const { type, subject } = parsed;
  const row = { id, provider, type, subject, receivedAt, bytes: body.length };
  switch (parsed.kind) {
    case 'records':
      return { ...row, tenant: parsed.tenant, payload: parsed.payload, status: 'applied', error: null };
    case 'ignored':
      return { ...row, tenant: '', payload: null, status: 'ignored', error: parsed.reason ?? null };
    case 'malformed':
      return {
        ...row,
        tenant: parsed.tenant ?? '',
        payload: parsed.payload,
        status: 'dead',
        error: parsed.reason,
      };
  }
}
