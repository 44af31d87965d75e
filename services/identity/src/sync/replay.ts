import { LatchkeyError } from '@latchkey/core/errors';
import type { DeliveryStatus } from '#core/deliveries.ts';
import type { HasuraClient } from '#hasura/client.ts';
import {
  DeadDeliveriesDocument,
  type DeadDeliveriesQuery,
  DeliveryStatusDocument,
} from '#hasura/generated/documents.ts';
import { withoutPart } from '#providers/parts.ts';
import type { Registry } from '#providers/registry.ts';
import { deliver } from './deliver.ts';
import type { Writer } from './writer.ts';

export interface ReplayContext {
  readonly providers: Registry;
  readonly engine: Pick<HasuraClient, 'request'>;
  readonly writer: Pick<Writer, 'writeDelivery'>;
}

/** A dead delivery and what became of it. */
export interface Replayed {
  readonly id: string;
  readonly provider: string;
  readonly type: string;
  /** Of a dry run, what it still is. */
  readonly status: DeliveryStatus;
  /** How often it was tried, this time included. */
  readonly attempts: number;
  /** Why it is dead. */
  readonly error: string | null;
  /** Why it could not even be tried. */
  readonly passedOver?: string;
}

type DeadDelivery = DeadDeliveriesQuery['identity_deliveries'][number];

const PAGE_SIZE = 100;

/**
 * Delivers dead deliveries once more, one or all, on the path that they came by: read by their
 * provider, written with their row of the ledger. Two at once, or the provider's own retry, do no harm.
 *
 * @param options.id only this one
 * @param options.dryRun only tells which there are
 * @throws LatchkeyError `not-found` for an id that is not there or not dead, and what the provider, the
 * engine and the writer throw: the deliveries after that one were not tried
 */
export async function* replay(
  context: ReplayContext,
  { id, dryRun = false }: { id?: string; dryRun?: boolean } = {},
): AsyncGenerator<Replayed> {
  const where = id === undefined ? {} : { id: { _eq: id } };
  let after = '';
  for (;;) {
    const asked = await context.engine.request(DeadDeliveriesDocument, { where, after, limit: PAGE_SIZE });
    const page = asked.identity_deliveries;
    if (id !== undefined && page.length === 0) throw await notDead(context, id);
    for (const dead of page) yield dryRun ? asItIs(dead) : await redeliver(context, dead);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_SIZE) return;
    after = last.id;
  }
}

async function redeliver({ providers, writer }: ReplayContext, dead: DeadDelivery): Promise<Replayed> {
  const body = textOf(dead.payload);
  if (body === undefined) {
    return { ...asItIs(dead), passedOver: 'nothing was kept of it, or its user is deleted' };
  }
  const provider = [...providers.values()].find(({ name }) => name === dead.provider);
  if (provider === undefined) return { ...asItIs(dead), passedOver: `${dead.provider} is not set up` };
  if (provider.webhooks === undefined) {
    return { ...asItIs(dead), passedOver: withoutPart(provider, 'webhooks', 'not-found').message };
  }
  const { type, status, error } = await deliver(provider.webhooks, writer, {
    id: dead.id,
    provider: provider.name,
    body,
    receivedAt: Date.parse(dead.received_at),
  });
  return { id: dead.id, provider: provider.name, type, status, attempts: dead.attempts + 1, error };
}

/** The body, or for providers of which only a hint is kept, the hint. What was no JSON is kept as text. */
function textOf(payload: unknown): string | undefined {
  if (payload === null || payload === undefined) return undefined;
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}

function asItIs({ id, provider, type, attempts, error = null }: DeadDelivery): Replayed {
  return { id, provider, type, status: 'dead', attempts, error };
}

async function notDead({ engine }: ReplayContext, id: string): Promise<LatchkeyError> {
  const { identity_deliveries_by_pk: row } = await engine.request(DeliveryStatusDocument, { id });
  return new LatchkeyError(
    'not-found',
    row === null
      ? `The ledger has no delivery ${id}: latchkey replay --all --dry-run lists the dead ones.`
      : `Delivery ${id} is ${row.status}, and only dead ones are replayed.`,
  );
}
