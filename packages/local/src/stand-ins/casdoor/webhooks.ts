import { randomUUID } from 'node:crypto';
import type { Attempt as AttemptOf } from '#stand-ins/core/delivery-queue.ts';
import type { Endpoint } from '#stand-ins/core/endpoint.ts';
import type { Faults } from '#stand-ins/core/faults.ts';
import { createWebhookSender, type WebhookSender as SenderOf } from '#stand-ins/core/webhook-sender.ts';
import type { CasdoorRecord } from './types.ts';

export type Attempt = AttemptOf<CasdoorRecord>;
export type WebhookSender = SenderOf<CasdoorRecord>;

/** Casdoor looks into its queue every 30 s and waits 60 s between attempts: here they pass in no time. */
export type Pace = { pollMs: number; retryMs: number };
const COMPRESSED_PACE: Pace = { pollMs: 150, retryMs: 300 };

const TIMEOUT_MS = 30_000;

export type SenderOptions = {
  endpoint: Endpoint;
  header: { name: string; value: string };
  pace?: Pace | undefined;
  faults?: Faults | undefined;
  onAttempt?: ((attempt: Attempt) => void) | undefined;
};

/** A record as Casdoor writes it of a request that succeeded. */
export function newRecord(fields: Partial<CasdoorRecord> & { action: string }): CasdoorRecord {
  const { organization = 'built-in', action } = fields;
  return {
    id: 0,
    owner: organization,
    name: randomUUID(),
    createdTime: new Date().toISOString().replace(/\.\d+/, ''),
    organization,
    clientIp: '203.0.113.10',
    user: 'admin',
    method: 'POST',
    requestUri: `/api/${action}`,
    language: 'en',
    object: '',
    response: '{status:"ok", msg:""}',
    statusCode: 200,
    detail: '',
    isTriggered: false,
    extendedUser: null,
    ...fields,
  };
}

/**
 * Delivers as Casdoor does: one record at a time, those of the same second in no order; unsigned, with
 * a fixed header; any 2xx within 30 seconds is enough; what failed comes again later, and after three
 * attempts it is lost.
 */
export function createSender(options: SenderOptions): WebhookSender {
  const { endpoint, header, pace = COMPRESSED_PACE, faults, onAttempt } = options;
  return createWebhookSender<CasdoorRecord>({
    endpoint,
    typeOf: ({ action }) => action,
    request: (record) => ({
      headers: { 'user-agent': 'Go-http-client/1.1', [header.name]: header.value },
      body: JSON.stringify(record),
    }),
    // Three attempts in all.
    scheduleMs: [pace.retryMs, pace.retryMs],
    timeoutMs: TIMEOUT_MS,
    turns: {
      concurrency: 1,
      pollMs: pace.pollMs,
      compare: (one, other) => (one.name < other.name ? -1 : 1),
    },
    faults,
    onAttempt,
  });
}
