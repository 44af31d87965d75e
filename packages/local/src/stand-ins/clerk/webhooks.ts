import { randomBytes } from 'node:crypto';
import { Webhook } from 'svix';
import type { Attempt as AttemptOf } from '#stand-ins/core/delivery-queue.ts';
import type { Endpoint } from '#stand-ins/core/endpoint.ts';
import type { Faults } from '#stand-ins/core/faults.ts';
import { createWebhookSender, type WebhookSender as SenderOf } from '#stand-ins/core/webhook-sender.ts';

/** One message as Svix would deliver it: fixed when it is made, the same at each attempt. */
export type Message = { id: string; type: string; body: string };

export type Attempt = AttemptOf<Message>;
export type WebhookSender = SenderOf<Message>;

/** Svix's own waits are 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h: here they pass in seconds. */
const COMPRESSED_SCHEDULE: readonly number[] = [250, 500, 1000, 2000, 4000, 8000, 15_000];
const TIMEOUT_MS = 15_000;

export type SenderOptions = {
  endpoint: Endpoint;
  /** `whsec_…` */
  secret: string;
  /** The waits between attempts, in milliseconds. */
  scheduleMs?: readonly number[] | undefined;
  /** How many messages may be under way at once (default 10). */
  concurrency?: number | undefined;
  faults?: Faults | undefined;
  onAttempt?: ((attempt: Attempt) => void) | undefined;
};

export function newMessage(type: string, event: unknown): Message {
  return { id: `msg_${randomBytes(14).toString('hex')}`, type, body: JSON.stringify(event) };
}

/**
 * Delivers as Svix does: at least once, each message by itself and in no order; only a 2xx within
 * 15 seconds counts, a redirect does not; after that it waits and tries again, with the same id and
 * body under a new timestamp and signature.
 */
export function createSender(options: SenderOptions): WebhookSender {
  const { endpoint, secret, scheduleMs = COMPRESSED_SCHEDULE, concurrency = 10, faults, onAttempt } = options;
  const webhook = new Webhook(secret);
  return createWebhookSender<Message>({
    endpoint,
    typeOf: ({ type }) => type,
    request({ id, body }) {
      const at = new Date();
      return {
        headers: {
          'user-agent': 'Svix-Webhooks/local',
          'svix-id': id,
          'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
          'svix-signature': webhook.sign(id, at, body),
        },
        body,
      };
    },
    scheduleMs,
    timeoutMs: TIMEOUT_MS,
    turns: { concurrency },
    faults,
    onAttempt,
  });
}
