import { fetchWithoutRedirects } from '@latchkey/core/redirects';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { z } from 'zod';

/** Who asks: by token, as admin, or as nobody; and in which role, if not in their default one. */
export type Caller = {
  token?: string;
  adminSecret?: string;
  role?: string;
  /** Further headers, such as an intruder would send. */
  headers?: Record<string, string>;
};

export type Answer = {
  status: number;
  data: Record<string, unknown> | null;
  /** The codes of the errors, in order. Texts differ between versions of Hasura, codes do not. */
  codes: string[];
  /** The first error's text, for people. */
  message: string | undefined;
};

/** The subprotocols Hasura speaks: the one of graphql-ws, and that of subscriptions-transport-ws. */
export type Subprotocol = 'graphql-transport-ws' | 'graphql-ws';

export type GraphqlClient = {
  query(query: string, caller?: Caller, variables?: Record<string, unknown>): Promise<Answer>;
  /**
   * The results of a live query, one after the other, until the caller stops taking them.
   *
   * @throws ConnectionRefused if the engine does not accept the caller
   */
  subscribe(query: string, caller?: Caller, subprotocol?: Subprotocol): AsyncGenerator<unknown, void, void>;
};

/** The engine closed the WebSocket instead of accepting its caller. */
export class ConnectionRefused extends Error {
  override name = 'ConnectionRefused';
}

const answerSchema = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }) })).default([]),
});

/** A plain client of an engine's GraphQL API, for looking at it from outside. */
export function createGraphqlClient(engineUrl: string): GraphqlClient {
  const send = fetchWithoutRedirects(engineUrl);
  const socketUrl = `${engineUrl.replace(/^http/, 'ws')}/v1/graphql`;
  return {
    async query(query, caller = {}, variables = {}) {
      const response = await send(`${engineUrl}/v1/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headersOf(caller) },
        body: JSON.stringify({ query, variables }),
      });
      const { data = null, errors } = answerSchema.parse(await response.json());
      return {
        status: response.status,
        data,
        codes: errors.map(({ extensions }) => extensions.code),
        message: errors[0]?.message,
      };
    },
    subscribe: (query, caller = {}, subprotocol = 'graphql-transport-ws') =>
      subprotocol === 'graphql-ws'
        ? subscribeOldStyle(socketUrl, query, headersOf(caller))
        : subscribeNewStyle(socketUrl, query, headersOf(caller)),
  };
}

function headersOf({ token, adminSecret, role, headers }: Caller): Record<string, string> {
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(adminSecret === undefined ? {} : { 'x-hasura-admin-secret': adminSecret }),
    ...(role === undefined ? {} : { 'x-hasura-role': role }),
    ...headers,
  };
}

async function* subscribeNewStyle(
  url: string,
  query: string,
  headers: Record<string, string>,
): AsyncGenerator<unknown, void, void> {
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { headers },
    retryAttempts: 0,
    lazyCloseTimeout: 0,
  });
  try {
    for await (const result of client.iterate({ query })) yield result.data ?? result;
  } catch (error) {
    const closed = z.object({ code: z.number(), reason: z.string() }).safeParse(error);
    if (!closed.success) throw error;
    throw new ConnectionRefused(`closed with ${closed.data.code} ${closed.data.reason}`, { cause: error });
  } finally {
    await client.dispose();
  }
}

const frameSchema = z.object({ type: z.string(), payload: z.unknown().optional() });

async function* subscribeOldStyle(
  url: string,
  query: string,
  headers: Record<string, string>,
): AsyncGenerator<unknown, void, void> {
  const socket = new WebSocket(url, 'graphql-ws');
  const frames: z.infer<typeof frameSchema>[] = [];
  let ended: Error | undefined;
  let wake = (): void => {};
  socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { headers } })));
  socket.on('message', (data) => {
    frames.push(frameSchema.parse(JSON.parse(String(data))));
    wake();
  });
  const end = (error: Error): void => {
    ended ??= error;
    wake();
  };
  socket.on('error', end);
  socket.on('close', (code, reason) =>
    end(new ConnectionRefused(`closed with ${code} ${reason.toString()}`)),
  );
  try {
    for (;;) {
      const frame = frames.shift();
      if (frame === undefined) {
        if (ended !== undefined) throw ended;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      if (frame.type === 'connection_ack') {
        socket.send(JSON.stringify({ id: '1', type: 'start', payload: { query } }));
      }
      if (frame.type === 'connection_error') throw new ConnectionRefused(JSON.stringify(frame.payload));
      if (frame.type === 'data') yield z.object({ data: z.unknown().optional() }).parse(frame.payload).data;
      if (frame.type === 'error') throw new Error(JSON.stringify(frame.payload));
      if (frame.type === 'complete') return;
    }
  } finally {
    socket.terminate();
  }
}
