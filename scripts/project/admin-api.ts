import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { CommandError } from '../command.ts';

/** Hasura refused a call; `code` is Hasura's own, `body` all it said. */
export class HasuraError extends Error {
  override name = 'HasuraError';
  readonly code: string;
  readonly body: unknown;

  constructor(message: string, code: string, body: unknown) {
    super(message);
    this.code = code;
    this.body = body;
  }
}

/** Nobody knows what became of a call: the connection broke after it was sent. */
export class ConnectionLostError extends CommandError {
  override name = 'ConnectionLostError';
}

export type AdminApi = {
  endpoint: string;
  /** One call of /v1/metadata; `version` where the call has several. */
  metadata(type: string, args: unknown, version?: number): Promise<unknown>;
  /** Runs SQL on a source by /v2/query, in one transaction. */
  runSql(source: string, sql: string): Promise<unknown>;
  version(): Promise<string>;
};

const errorSchema = z.object({ error: z.string(), code: z.string() });
const versionSchema = z.object({ version: z.string() });
/** What Hasura answers to a wrong or missing admin secret, whatever else it is set up for. */
const REFUSALS = new Set(['access-denied', 'invalid-headers', 'invalid-jwt', 'jwt-invalid-claims']);

/**
 * The part of Hasura's API that manages it.
 *
 * @param endpoint the engine's address, without a path
 * @param adminSecret none where the engine was started without one
 */
export function createAdminApi(endpoint: string, adminSecret: string | undefined): AdminApi {
  const base = parseEndpoint(endpoint);
  const headers = adminSecret === undefined ? {} : { 'x-hasura-admin-secret': adminSecret };

  async function call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const answer = await send(new URL(path, base), method, headers, body);
    let parsed: unknown;
    try {
      parsed = JSON.parse(answer.body);
    } catch (cause) {
      throw new CommandError(
        `${base.href} answered ${answer.status}, but not as Hasura does: is it the right address? Set HASURA_GRAPHQL_ENDPOINT or --endpoint.`,
        1,
        { cause },
      );
    }
    if (answer.status >= 200 && answer.status < 300) return parsed;
    const error = errorSchema.safeParse(parsed);
    const { code, error: message } = error.data ?? { code: 'unexpected', error: answer.body };
    if (REFUSALS.has(code)) {
      const mend = 'set HASURA_GRAPHQL_ADMIN_SECRET or --admin-secret to the secret it was started with';
      throw new CommandError(`Hasura at ${base.href} refuses to be managed (${code}): ${mend}.`, 1);
    }
    throw new HasuraError(message, code, parsed);
  }

  return {
    endpoint: base.href,
    metadata: (type, args, version) =>
      call('POST', 'v1/metadata', { type, args, ...(version === undefined ? {} : { version }) }),
    runSql: (source, sql) => call('POST', 'v2/query', { type: 'run_sql', args: { source, sql } }),
    version: async () => versionSchema.parse(await call('GET', 'v1/version')).version,
  };
}

function parseEndpoint(endpoint: string): URL {
  const url = URL.parse(endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new CommandError(
    `"${endpoint}" is no address of a Hasura: give one such as http://127.0.0.1:8080 in HASURA_GRAPHQL_ENDPOINT or --endpoint.`,
    2,
  );
}

/** Not fetch: that gives up after five minutes without headers, and a migration may take longer. */
function send(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    });
    let connected = false;
    request.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    const fail = (cause: Error): void => {
      const { origin } = url;
      reject(
        connected
          ? new ConnectionLostError(`The connection to Hasura at ${origin} broke: ${cause.message}.`, 1, {
              cause,
            })
          : new CommandError(
              `Hasura does not answer at ${origin} (${reasonOf(cause)}): start it, or name another one in HASURA_GRAPHQL_ENDPOINT or --endpoint.`,
              1,
              { cause },
            ),
      );
    };
    request.on('error', fail);
    request.on('response', (response) => {
      text(response).then((received) => resolve({ status: response.statusCode ?? 0, body: received }), fail);
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function reasonOf(error: Error): string {
  if (error.message !== '') return error.message;
  // Several addresses tried, several errors: Node leaves the message of the whole empty.
  return 'code' in error ? String(error.code) : error.name;
}
