import { setTimeout as sleep } from 'node:timers/promises';
import { networkCause } from '@latchkey/core/network-cause';
import { fetchWithoutRedirects, RedirectError } from '@latchkey/core/redirects';
import { Webhook } from 'standardwebhooks';
import type { ForwardingConfig } from './config.ts';
import type { Forwarded } from './hint.ts';

const FIRST_PAUSE_MS = 100;

export interface Patience {
  /** For all attempts together. */
  readonly budgetMs: number;
  /** For each one. The service may take the same delivery twice, so it need not be long. */
  readonly attemptMs: number;
}

/** @throws Error where the service has not taken it in time */
export type Forward = (forwarded: Forwarded, patience: Patience) => Promise<void>;

/**
 * Makes the function that delivers a hint to the service, signed as Standard Webhooks says. It tries
 * again, after 100, 200, 400… ms or when the service says, as long as the time allows.
 */
export function createForward({ url, secret }: ForwardingConfig): Forward {
  const webhook = new Webhook(secret);
  const send = fetchWithoutRedirects('LATCHKEY_WEBHOOK_URL');

  async function attempt({ id, hint }: Forwarded, timeoutMs: number): Promise<Failure | undefined> {
    const body = JSON.stringify(hint);
    const now = new Date();
    try {
      const response = await send(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': webhook.sign(id, now, body),
        },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      return response.ok ? undefined : answered(response);
    } catch (error) {
      if (error instanceof RedirectError) return { why: error.message, isPassing: false };
      const cause = networkCause(error) ?? (error instanceof Error ? error.name : 'unknown');
      const why = `it does not answer at ${new URL(url).origin} (${cause}): check LATCHKEY_WEBHOOK_URL`;
      return { why, isPassing: true };
    }
  }

  return async (forwarded, { budgetMs, attemptMs }) => {
    const giveUpAt = performance.now() + budgetMs;
    for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
      const left = Math.max(1, Math.floor(giveUpAt - performance.now()));
      const failure = await attempt(forwarded, Math.min(attemptMs, left));
      if (failure === undefined) return;
      const wait = Math.max(pause, failure.retryAfterMs ?? 0);
      if (!failure.isPassing || performance.now() + wait >= giveUpAt) {
        throw new Error(`The identity service has not taken the event: ${failure.why}.`);
      }
      await sleep(wait);
    }
  };
}

interface Failure {
  readonly why: string;
  /** Whether the same delivery may succeed later. */
  readonly isPassing: boolean;
  readonly retryAfterMs?: number;
}

function answered({ status, headers }: Response): Failure {
  const seconds = Number(headers.get('retry-after') ?? '');
  const fix =
    status === 401
      ? 'compare COGNITO_WEBHOOK_SECRET with that of the service'
      : 'its log and its ledger say why';
  return {
    why: `it answers with status ${status}: ${fix}`,
    isPassing: status === 429 || status >= 500,
    ...(seconds > 0 && { retryAfterMs: seconds * 1000 }),
  };
}
