/** One WebSocket connection: authentication, operations, keep-alive, and its end. */
import { setImmediate } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';
import type { Authenticated } from '#auth/authenticated.ts';
import type { Authenticator } from '#auth/authenticator.ts';
import { EngineError, toEngineError } from '#base/errors.ts';
import { hashOrder } from '#base/hash-order.ts';
import type { HeaderList } from '#base/headers.ts';
import type { Logger } from '#base/log.ts';
import { startTrace } from '#base/trace.ts';
import type { GraphqlRequest, RunnableOperation } from '#execute/operation.ts';
import type { LiveQueries } from './live-queries.ts';
import { type GraphqlParts, prepareGraphql } from './run-graphql.ts';
import { type ClientMessage, readClientMessage } from './ws-messages.ts';
import { CLOSES, type Close, createDialect, fitReason, type Protocol } from './ws-protocol.ts';

/** setTimeout knows no longer delays. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;
/** A client that reads nothing must not fill the memory. */
const BUFFER_LIMIT = 64 * 1024 * 1024;
/** Nor one that sends faster than its operations run: beyond these nothing more is read for a while. */
const WAITING_MESSAGES = 100;
const WAITING_BYTES = 1024 * 1024;

export interface ConnectionParts extends GraphqlParts {
  readonly authenticator: Authenticator;
  readonly liveQueries: LiveQueries;
  readonly log: Logger;
}

export interface ConnectionOptions {
  readonly protocol: Protocol;
  readonly legacy: boolean;
  /** Of the upgrade request; those of `connection_init` come before them. */
  readonly headers: HeaderList;
  readonly connectionId: string;
}

export interface Connection {
  close(close: Close): void;
}

type Client =
  | { readonly state: 'new' }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'ready'; readonly authenticated: Authenticated; readonly headers: HeaderList };

/** Serves `socket` until it closes. */
export function serveConnection(
  socket: WebSocket,
  parts: ConnectionParts,
  options: ConnectionOptions,
): Connection {
  const { config, log } = parts;
  const dialect = createDialect(options.protocol, options.legacy);
  const operations = new Map<string, () => void>();
  const timers = new Set<NodeJS.Timeout>();
  let client: Client = { state: 'new' };
  let closed = false;
  let queue: Promise<void> = Promise.resolve();
  const waiting = { messages: 0, bytes: 0 };

  const send = (message: string | undefined) => {
    if (message === undefined || socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > BUFFER_LIMIT) return socket.terminate();
    socket.send(message);
  };
  const close = ({ code, reason }: Close) => socket.close(code, fitReason(reason));
  const later = (delayMs: number, run: () => void): NodeJS.Timeout => {
    const wait = Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS);
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (delayMs > wait) later(delayMs - wait, run);
      else run();
    }, wait);
    timers.add(timer);
    return timer;
  };

  const initTimer = later(config.websocketInitTimeoutMs, () => close(dialect.initTimeout));
  const keepAlive = setInterval(() => {
    if (client.state === 'ready') send(dialect.keepAlive());
  }, config.websocketKeepAliveMs);

  const init = async (given: Readonly<Record<string, string>>) => {
    clearTimeout(initTimer);
    // In Hasura's order: of two spellings of a name it may be the first or the last that counts.
    const own = hashOrder(Object.entries(given), ([name]) => name);
    const headers = [...own, ...options.headers];
    try {
      const authenticated = await parts.authenticator.authenticate(headers);
      if (closed) return;
      client = { state: 'ready', authenticated, headers: own };
      const { expiresAt } = authenticated;
      if (expiresAt !== undefined) later(expiresAt - Date.now(), () => close(CLOSES.tokenExpired));
      send(dialect.ack());
      send(dialect.keepAlive());
    } catch (thrown) {
      const { message } = toEngineError(thrown);
      client = { state: 'refused', reason: message };
      const failure = dialect.initFailed(message);
      send(failure.message);
      close(failure.close);
    }
  };

  const startFailed = (id: string, reason: string) => {
    const failure = dialect.startFailed(id, new EngineError('start-failed', reason));
    send(failure.message);
    if (failure.close !== undefined) close(failure.close);
    else send(dialect.complete(id));
  };

  const run = async (id: string, operation: RunnableOperation, headers: HeaderList) => {
    try {
      const { body } = await operation.run({ headers, requestId: options.connectionId });
      send(dialect.next(id, body));
    } catch (thrown) {
      const error = toEngineError(thrown);
      if (error.status >= 500) log.error('websocket-log', { error: error.message, internal: error.internal });
      send(dialect.failed(id, error, false));
    }
    send(dialect.complete(id));
  };

  const start = async (id: string, request: GraphqlRequest) => {
    if (operations.has(id)) return startFailed(id, `an operation already exists with this id: ${id}`);
    if (client.state === 'new') return startFailed(id, 'start received before the connection is initialised');
    if (client.state === 'refused') {
      return startFailed(id, `cannot start as connection_init failed with: ${client.reason}`);
    }
    const { authenticated, headers } = client;
    try {
      const operation = prepareGraphql(parts, request, { ...authenticated.session, trace: startTrace() });
      if (operation.kind !== 'subscription') return await run(id, operation, headers);
      if (operation.isEmpty) return send(dialect.complete(id));
      const stop = parts.liveQueries.subscribe(operation, {
        next: (body) => send(dialect.next(id, body)),
        error(error, isFirst) {
          // A value that its type does not take: Hasura looks at them before it starts.
          if (!isFirst || error.code !== 'data-exception') return send(dialect.pollFailed(id, error));
          stopOperation(id);
          refuse(id, error);
        },
      });
      operations.set(id, stop);
    } catch (thrown) {
      refuse(id, toEngineError(thrown));
    }
  };

  const refuse = (id: string, error: EngineError) => {
    send(dialect.refused(id, error));
    send(dialect.complete(id));
  };

  const stopOperation = (id: string) => {
    operations.get(id)?.();
    operations.delete(id);
  };

  const malformed = (reason: string) => {
    const answer = dialect.malformed(reason);
    send(answer.message);
    if (answer.close !== undefined) close(answer.close);
  };

  const handle = async (message: ClientMessage): Promise<void> => {
    switch (message.type) {
      case 'connection_init':
        return init(message.payload?.headers ?? {});
      case 'start':
      case 'subscribe':
        return start(message.id, message.payload);
      case 'stop':
      case 'complete':
        return stopOperation(message.id);
      case 'connection_terminate':
        return close(CLOSES.terminated);
      case 'ping':
        return send(dialect.pong(message.payload));
      default:
        return;
    }
  };

  const receive = async (data: RawData) => {
    // What begins after the end would never be stopped.
    if (closed) return;
    const message = readClientMessage(data);
    if ('problem' in message) malformed(message.problem);
    else await handle(message);
    // Other connections get their turn too, where nothing is asked of the database.
    if (waiting.messages > 1) await setImmediate();
  };

  socket.on('message', (data) => {
    const bytes = sizeOf(data);
    waiting.messages += 1;
    waiting.bytes += bytes;
    if (waiting.messages > WAITING_MESSAGES || waiting.bytes > WAITING_BYTES) socket.pause();
    // One after the other: an operation begins only once those before it have ended.
    queue = queue
      .then(() => receive(data))
      .catch((error: unknown) => log.error('websocket-log', { error: String(error) }))
      .then(() => {
        waiting.messages -= 1;
        waiting.bytes -= bytes;
        if (socket.isPaused && waiting.messages <= WAITING_MESSAGES && waiting.bytes <= WAITING_BYTES)
          socket.resume();
      });
  });
  socket.on('error', (error) => log.warn('websocket-log', { error: error.message }));
  socket.on('close', () => {
    closed = true;
    clearInterval(keepAlive);
    for (const timer of timers) clearTimeout(timer);
    for (const stop of operations.values()) stop();
    operations.clear();
  });
  return { close };
}

function sizeOf(data: RawData): number {
  return Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength;
}
