import { LatchkeyError } from '@latchkey/core/errors';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import type { Delivery } from '#core/deliveries.ts';
import type { RawRequest } from '#providers/provider.ts';

/** The ledger's primary key must fit an index page. */
const LONGEST_ID = 255;

/**
 * Makes the function that authenticates what the Lambda functions forward, signed as Standard
 * Webhooks says. Any of the secrets will do, so that one can replace another without a gap.
 *
 * @param secrets `whsec_…`
 */
export function cognitoVerifier(secrets: readonly string[]): (request: RawRequest) => Delivery {
  const webhooks = secrets.map((secret) => new Webhook(secret));

  return ({ headers, body, receivedAt }) => {
    const text = body.toString('utf8');
    const signed: Record<string, string> = {};
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const) {
      const value = headers[name];
      if (typeof value === 'string') signed[name] = value;
    }
    const id = signed['webhook-id'] ?? '';
    if (id.length > LONGEST_ID || !webhooks.some((webhook) => isSignedBy(webhook, text, signed))) {
      throw new LatchkeyError(
        'signature-invalid',
        'The webhook-signature is missing, stale or made with another secret: compare COGNITO_WEBHOOK_SECRET of the service with that of the Lambda functions, and the clocks.',
      );
    }
    return { id, provider: 'cognito', body: text, receivedAt };
  };
}

function isSignedBy(webhook: Webhook, text: string, headers: Record<string, string>): boolean {
  try {
    // What the body says is read later, for even a malformed one is kept once it is authentic.
    webhook.verify(text, headers, { jsonParse: false });
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}
