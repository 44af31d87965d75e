import { LatchkeyError } from '@latchkey/core/errors';
import type { Delivery, LedgerEntry, ParsedDelivery } from '#core/deliveries.ts';
import type { Provider } from '#providers/provider.ts';
import type { Settlement, Writer } from './writer.ts';

export type Outcome = Settlement &
  Pick<LedgerEntry, 'type' | 'subject'> & {
    /** Whether only a reconcile brings all that has changed. */
    readonly isPartial: boolean;
  };

/**
 * Takes an authenticated delivery all the way into the database and the ledger.
 *
 * @throws LatchkeyError what {@link Writer.write} and the provider's API throw: nothing is settled then,
 * and the provider must send it again
 */
export async function deliver(
  provider: Provider,
  writer: Pick<Writer, 'write'>,
  delivery: Delivery,
): Promise<Outcome> {
  const reading = await provider.records(delivery);
  const { type, subject } = reading;
  const { id, receivedAt, body } = delivery;
  const settlement = await writer.write({
    records: reading.kind === 'records' ? reading.records : [],
    delivery: {
      id,
      provider: provider.name,
      tenant: reading.kind === 'ignored' ? '' : (reading.tenant ?? ''),
      type,
      subject,
      receivedAt,
      payload: reading.kind === 'ignored' ? null : reading.payload,
      bytes: body.length,
      ...verdictOn(reading),
    },
  });
  return {
    ...settlement,
    type,
    subject,
    isPartial: reading.kind === 'records' && reading.isPartial === true,
  };
}

/**
 * What the sender is told of a dead delivery.
 * @returns undefined where it was applied or ignored
 */
export function toHttpError({ status, type, error }: Outcome): LatchkeyError | undefined {
  if (status !== 'dead') return undefined;
  return new LatchkeyError(
    'payload-malformed',
    `The delivery (${type}) was kept as dead: ${error ?? 'unknown'}`,
  );
}

function verdictOn(reading: ParsedDelivery): Pick<LedgerEntry, 'status' | 'error'> {
  switch (reading.kind) {
    case 'records':
      return { status: 'applied', error: null };
    case 'ignored':
      return { status: 'ignored', error: reading.reason ?? null };
    case 'malformed':
      return { status: 'dead', error: reading.reason };
  }
}
