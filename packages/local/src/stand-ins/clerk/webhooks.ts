import { randomBytes } from 'node:crypto';
import { Webhook } from 'svix';

/** One message as Svix would deliver it: fixed when it is made, the same at each attempt. */
export type Message = { id: string; type: string; body: string };

export type Attempt = {
  message: Message;
  /** From 1. */
  number: number;
  /** The HTTP status, or undefined if there was no answer. */
  status: number | undefined;
  delivered: boolean;
  /** Whether it will be tried again. */
  willRetry: boolean;
};

export type WebhookSender = {
  /** Queues a message; settles when it is delivered (true) or given up (false). */
  send(message: Message): Promise<boolean>;
  /** One attempt, now, with headers of the caller's making beside or instead of the right ones. */
  post(message: Message, headers?: Record<string, string>): Promise<Response>;
  /** Settles when each message was tried once, however it went. */
  tried(): Promise<void>;
  /** Settles when nothing is queued or under way. */
  idle(): Promise<void>;
  /** Gives up what is left. */
  close(): Promise<void>;
};

/** Svix's own waits are 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h: here they pass in seconds. */
const COMPRESSED_SCHEDULE: readonly number[] = [250, 500, 1000, 2000, 4000, 8000, 15_000];

export type SenderOptions = {
  /** Where to deliver; asked at each attempt, so that it may be known later than the sender. */
  endpoint: () => string | undefined;
  /** `whsec_…` */
  secret: string;
  /** The waits between attempts, in milliseconds. */
  scheduleMs?: readonly number[];
  /** How many messages may be under way at once (default 10). */
  concurrency?: number;
  onAttempt?: (attempt: Attempt) => void;
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
  const { scheduleMs = COMPRESSED_SCHEDULE, concurrency = 10, onAttempt = () => {} } = options;
  const webhook = new Webhook(options.secret);
  const closing = new AbortController();
  const underWay = new Set<Promise<boolean>>();
  const untried = new Set<Promise<unknown>>();
  const waiting: (() => void)[] = [];
  let busy = 0;

  async function post(
    message: Message,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const endpoint = options.endpoint();
    if (endpoint === undefined) throw new Error('The webhook endpoint is not known yet.');
    const at = new Date();
    return fetch(endpoint, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Svix-Webhooks/local',
        'svix-id': message.id,
        'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
        'svix-signature': webhook.sign(message.id, at, message.body),
        ...headers,
      },
      body: message.body,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async function attempt(message: Message): Promise<number | undefined> {
    if (busy >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    busy += 1;
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(15_000)]);
      const response = await post(message, {}, signal);
      await response.arrayBuffer();
      return response.status;
    } catch {
      return undefined;
    } finally {
      busy -= 1;
      waiting.shift()?.();
    }
  }

  async function deliver(message: Message): Promise<boolean> {
    for (let number = 1; !closing.signal.aborted; number++) {
      const answer = attempt(message);
      if (number === 1) {
        untried.add(answer);
        void answer.finally(() => untried.delete(answer));
      }
      const status = await answer;
      const delivered = status !== undefined && status >= 200 && status < 300;
      const wait = scheduleMs[number - 1];
      const willRetry = !delivered && wait !== undefined && !closing.signal.aborted;
      onAttempt({ message, number, status, delivered, willRetry });
      if (delivered || wait === undefined) return delivered;
      await pause(wait, closing.signal);
    }
    return false;
  }

  const idle = async (): Promise<void> => {
    while (underWay.size > 0) await Promise.all(underWay);
  };
  const tried = async (): Promise<void> => {
    while (untried.size > 0) await Promise.all(untried);
  };
  return {
    post: (message, headers) => post(message, headers),
    send(message) {
      const delivery = deliver(message).finally(() => underWay.delete(delivery));
      underWay.add(delivery);
      return delivery;
    },
    tried,
    idle,
    async close() {
      closing.abort();
      await idle();
    },
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
