import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket } from 'ws';
import type { ApiService, ChangeListener } from '#api/requests/service.ts';
import { createAuthenticator } from '#auth/authenticator.ts';
import { type EngineConfig, readConfig } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { Core } from '#core/core.ts';
import type { Subscription } from '#execute/operation.ts';
import { EMPTY_METADATA } from '#metadata/types.ts';
import { createCorsPolicy } from '#server/cors.ts';
import { send } from '#server/http.ts';
import { createLiveQueries } from '#server/live-queries.ts';
import { createRoutes } from '#server/routes.ts';
import { attachWebSockets } from '#server/websocket.ts';

export const ADMIN_SECRET = 'fake-secret';

/**
 * The engine's server around a core that echoes: `query X` answers with its own text, `mutation fail`
 * fails, `query wait` answers once `release` was called, `subscription a` polls the value that tests set.
 */
export async function startFakeEngine(settings: Readonly<Record<string, string>> = {}) {
  const config: EngineConfig = readConfig({
    HASURA_GRAPHQL_DATABASE_URL: 'postgres://nowhere',
    HASURA_GRAPHQL_ADMIN_SECRET: ADMIN_SECRET,
    HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_REFETCH_INTERVAL: '5',
    ...settings,
  });
  const values = new Map<string, unknown>();
  /** How many cohorts each poll of each shape was for. */
  const polls: { shape: string; cohorts: number }[] = [];
  const listeners = new Set<ChangeListener>();
  const gate = Promise.withResolvers<void>();

  const subscription = (shape: string, cohort: string): Subscription => ({
    kind: 'subscription',
    name: undefined,
    shape,
    cohort,
    streaming: false,
    isEmpty: shape === 'nothing',
    async poll(cohorts) {
      polls.push({ shape, cohorts: cohorts.length });
      return cohorts.map(({ subscription: one }) => {
        const value = values.get(one.cohort) ?? null;
        if (value instanceof EngineError) return { error: value };
        return { body: JSON.stringify({ data: { value } }) };
      });
    },
  });
  const core: Core = {
    inconsistencies: [],
    prepare({ query, variables }, session) {
      const [kind, name = ''] = query.split(' ');
      if (kind === 'subscription') return subscription(name, `${name}:${JSON.stringify(variables ?? {})}`);
      if (kind !== 'query' && kind !== 'mutation') {
        throw new EngineError('validation-failed', 'not a valid graphql query', { path: '$.query' });
      }
      return {
        kind,
        name: undefined,
        async run() {
          if (name === 'fail')
            throw new EngineError('data-exception', 'no such luck', { internal: { secret: 1 } });
          if (name === 'wait') await gate.promise;
          if (name === 'explode') throw new TypeError('a bug with details');
          return { body: JSON.stringify({ data: { query, role: session.role } }) };
        },
      };
    },
    explain: async () => [],
    openApi: () => ({}),
    rows: { run: async () => [] },
  };
  const api: ApiService = {
    state: {
      metadata: EMPTY_METADATA,
      resourceVersion: 1,
      catalogs: new Map(),
      sources: [],
      core,
      inconsistencies: [],
      restRoutes: [],
    },
    handle: async (_, body) => ({ echo: body }),
    followOthers: async () => {},
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const authenticator = await createAuthenticator(config, silentLogger);
  const cors = createCorsPolicy(config.corsDomain, config.disableCors, config.wsReadCookie);
  const liveQueries = createLiveQueries(
    { live: config.liveQueries, streaming: config.streamingQueries },
    silentLogger,
  );
  const store = {
    prepare: async () => {},
    load: async () => undefined,
    version: async () => 1,
    create: async () => 1,
    save: async () => 1,
    catalogState: async () => ({ id: '', cli_state: {}, console_state: {} }),
    setCatalogState: async () => {},
    ping: async () => {},
  };
  const pools = {
    pool: () => {
      throw new Error('no database in these tests');
    },
  };
  const routes = createRoutes({ config, authenticator, api, store, pools, log: silentLogger });
  const server = createServer((request, response) => {
    void routes(request).then((answer) => send(request, response, answer));
  });
  const sockets = attachWebSockets(
    server,
    { config, authenticator, api, liveQueries, log: silentLogger },
    cors,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    values,
    polls,
    release: gate.resolve,
    changeMetadata: () => {
      for (const listener of listeners) listener('v1/metadata', api.state);
    },
    async close() {
      liveQueries.close();
      sockets.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      authenticator.close();
    },
  };
}

export interface TestSocket {
  send(message: unknown): void;
  /** The next message of that type, in order; keep-alives are left out unless asked for. */
  next(type?: string): Promise<Record<string, unknown>>;
  /** What has come and was not asked for yet. */
  pending(): readonly Record<string, unknown>[];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly raw: WebSocket;
}

export async function connect(
  url: string,
  protocol: string | string[] | undefined,
  headers: Record<string, string> = {},
): Promise<TestSocket> {
  const socket = new WebSocket(url, [protocol ?? []].flat(), { headers });
  const queue: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data: RawData) => {
    const message: Record<string, unknown> = JSON.parse(data.toString());
    queue.push(message);
    for (const wake of waiting) wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve).once('error', reject);
  });
  const take = (type: string | undefined) => {
    const index = queue.findIndex((message) =>
      type === undefined ? message.type !== 'ka' && message.type !== 'ping' : message.type === type,
    );
    return index < 0 ? undefined : queue.splice(index, 1)[0];
  };
  return {
    raw: socket,
    closed,
    send: (message) =>
      socket.send(
        typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
      ),
    pending: () => queue.filter(({ type }) => type !== 'ka' && type !== 'ping'),
    async next(type) {
      for (;;) {
        const found = take(type);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
  };
}

/** What a client of both protocols says first. */
export const INIT = {
  type: 'connection_init',
  payload: { headers: { 'x-hasura-admin-secret': ADMIN_SECRET } },
};

/** A connection that has been acknowledged. */
export async function connectAndInit(wsUrl: string, protocol: string, init: unknown = INIT) {
  const socket = await connect(`${wsUrl}/v1/graphql`, protocol);
  socket.send(init);
  await socket.next('connection_ack');
  return socket;
}
