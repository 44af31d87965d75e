import { LatchkeyError } from '@latchkey/core/errors';
import { Webhook, WebhookVerificationError } from 'svix';
import type { Delivery } from '#core/deliveries.ts';
import { toInstant } from '#core/instants.ts';
import type { RawRequest } from '#providers/provider.ts';

/** The ledger's primary key must fit an index page. */
const LONGEST_ID = 255;

/**
 * Makes the function that authenticates Clerk's webhooks, which Svix signs. Any of the secrets will
 * do, so that one can replace another without a gap.
 *
 * @param secrets `whsec_…`
 */
export function clerkVerifier(secrets: readonly string[]): (request: RawRequest) => Delivery {
  const webhooks = secrets.map((secret) => new Webhook(secret));

  return ({ headers, body, receivedAt }) => {
    const text = body.toString('utf8');
    const signed: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) {
      if (typeof value === 'string' && /^(?:svix|webhook)-/.test(name)) signed[name] = value;
    }
    // Svix prefers its own headers to the standard ones; so must we, or the id would not be the signed one.
    const id = signed['svix-id'] ?? signed['webhook-id'] ?? '';
    if (id.length > LONGEST_ID || !webhooks.some((webhook) => isSignedBy(webhook, text, signed))) {
      throw new LatchkeyError(
        'signature-invalid',
        'The Svix signature is missing, stale or made with another secret: compare CLERK_WEBHOOK_SECRET with the endpoint’s Signing Secret, and the clocks.',
      );
    }
    // Signed too, and so a time, of this hour. Its second has not ended when the attempt is made.
    const sentAt = toInstant(Number(signed['svix-timestamp'] ?? signed['webhook-timestamp']), 'end');
    return { id, provider: 'clerk', body: text, receivedAt, ...(sentAt !== undefined && { sentAt }) };
  };
}

function isSignedBy(webhook: Webhook, text: string, headers: Record<string, string>): boolean {
  try {
    webhook.verify(text, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}
