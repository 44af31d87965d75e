import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CasdoorRecord } from './types.ts';

export type Attempt = {
  record: CasdoorRecord;
  /** From 1. */
  number: number;
  /** The HTTP status, or undefined if there was no answer. */
  status: number | undefined;
  delivered: boolean;
  /** Whether it will be tried again. */
  willRetry: boolean;
};

export type WebhookSender = {
  /** Puts a record into the queue; settles when it is delivered (true) or given up (false). */
  send(record: CasdoorRecord): Promise<boolean>;
  /** One attempt, now, with headers of the caller's making beside or instead of the right ones. */
  post(record: CasdoorRecord, headers?: Record<string, string>): Promise<Response>;
  /** Settles when each record was tried once, however it went. */
  tried(): Promise<void>;
  /** Settles when nothing is queued or under way. */
  idle(): Promise<void>;
  /** Gives up what is left. */
  close(): Promise<void>;
};

/** Casdoor looks into its queue every 30 s and waits 60 s between attempts: here they pass in no time. */
export type Pace = { pollMs: number; retryMs: number };
const COMPRESSED_PACE: Pace = { pollMs: 150, retryMs: 300 };

const MOST_ATTEMPTS = 3;

export type SenderOptions = {
  /** Where to deliver; asked at each attempt, so that it may be known later than the sender. */
  endpoint: () => string | undefined;
  header: { name: string; value: string };
  pace?: Pace;
  onAttempt?: (attempt: Attempt) => void;
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
  const { pace = COMPRESSED_PACE, onAttempt = () => {} } = options;
  type Event = {
    record: CasdoorRecord;
    attempts: number;
    due: number;
    /** Called after each attempt, and where there is none any more. */
    tried: () => void;
    settle: (delivered: boolean) => void;
  };
  const queue: Event[] = [];
  const closing = new AbortController();
  const untried = new Set<Promise<void>>();
  let worker: Promise<void> | undefined;

  async function post(
    record: CasdoorRecord,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const endpoint = options.endpoint();
    if (endpoint === undefined) throw new Error('The webhook endpoint is not known yet.');
    return fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Go-http-client/1.1',
        [options.header.name]: options.header.value,
        ...headers,
      },
      body: JSON.stringify(record),
      // Casdoor follows it, secret and all; here a wrong address shows.
      redirect: 'manual',
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async function deliver(event: Event): Promise<void> {
    event.attempts += 1;
    const { record, attempts: number } = event;
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(30_000)]);
    const status = await post(record, {}, signal).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => undefined,
    );
    const delivered = status !== undefined && status >= 200 && status < 300;
    const willRetry = !delivered && number < MOST_ATTEMPTS && !closing.signal.aborted;
    onAttempt({ record, number, status, delivered, willRetry });
    event.tried();
    if (willRetry) {
      event.due = Date.now() + pace.retryMs;
      return;
    }
    queue.splice(queue.indexOf(event), 1);
    event.settle(delivered);
  }

  async function work(): Promise<void> {
    while (queue.length > 0 && !closing.signal.aborted) {
      await sleep(pace.pollMs, undefined, { signal: closing.signal }).catch(() => {});
      const due = queue.filter((event) => event.due <= Date.now());
      for (const event of due.sort((a, b) => (a.record.name < b.record.name ? -1 : 1))) {
        if (!closing.signal.aborted) await deliver(event);
      }
    }
    for (const { tried, settle } of queue.splice(0)) {
      tried();
      settle(false);
    }
    worker = undefined;
  }

  return {
    post: (record, headers) => post(record, headers),
    send(record) {
      return new Promise((settle) => {
        if (closing.signal.aborted) return settle(false);
        const first = Promise.withResolvers<void>();
        untried.add(first.promise);
        void first.promise.then(() => untried.delete(first.promise));
        queue.push({ record, attempts: 0, due: 0, tried: first.resolve, settle });
        worker ??= work();
      });
    },
    async tried() {
      while (untried.size > 0) await Promise.all(untried);
    },
    async idle() {
      while (worker !== undefined) await worker;
    },
    async close() {
      closing.abort();
      while (worker !== undefined) await worker;
    },
  };
}
