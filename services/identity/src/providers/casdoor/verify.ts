import { createHash } from 'node:crypto';
import { LatchkeyError } from '@latchkey/core/errors';
import type { Delivery } from '#core/deliveries.ts';
import { secretCheck } from '#core/secrets.ts';
import type { RawRequest } from '#providers/provider.ts';
import { readRecord } from './hint.ts';
import type { CasdoorConfig } from './settings.ts';

/**
 * Makes the function that authenticates Casdoor's webhooks. Casdoor signs nothing and sends no time:
 * a header with a fixed secret is all there is, so whoever once saw a delivery can send it again.
 * That does no harm where deliveries are no more than hints (see deliveries.ts). Any of the secrets will
 * do, so that one can replace another without a gap.
 */
export function casdoorVerifier({
  webhookHeader,
  webhookSecrets,
}: Pick<CasdoorConfig, 'webhookHeader' | 'webhookSecrets'>): (request: RawRequest) => Delivery {
  const isSecret = secretCheck(webhookSecrets);

  return ({ headers, body, receivedAt }) => {
    if (!isSecret(headers[webhookHeader])) {
      throw new LatchkeyError(
        'signature-invalid',
        `The header ${webhookHeader} is missing or holds another secret: compare CASDOOR_WEBHOOK_SECRET and CASDOOR_WEBHOOK_HEADER with the Headers of Casdoor’s webhook.`,
      );
    }
    const text = body.toString('utf8');
    return { id: deliveryId(text), provider: 'casdoor', body: text, receivedAt };
  };
}

/** The record's own `id` is always 0, and a sign-up shares its `name` with the new-user it causes. */
function deliveryId(text: string): string {
  const record = readRecord(text);
  return record === undefined
    ? `casdoor:${createHash('sha256').update(text).digest('hex')}`
    : `casdoor:${record.name}:${record.action}`;
}
