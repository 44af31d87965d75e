import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { LatchkeyError } from '@latchkey/core/errors';
import { describeRedirect } from '@latchkey/core/redirects';
import { z } from 'zod';

const refusalSchema = z.object({
  error: z.string(),
  code: z.string(),
  path: z.string().default('$'),
  internal: z.unknown().optional(),
});

/** What Hasura said against a call, in its own words. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal';
  readonly code: string;
  readonly path: string;
  /** What Hasura tells administrators of its inside, such as PostgreSQL's error. */
  readonly internal: unknown;

  constructor({ error, code, path, internal }: z.infer<typeof refusalSchema>) {
    super(error);
    this.code = code;
    this.path = path;
    this.internal = internal;
  }
}

export type MetadataApi = {
  /** Its address. */
  endpoint: string;
  /** Whether calls carry an admin secret. */
  hasSecret: boolean;
  /** One call of /v1/metadata; `version` where the call has several. */
  metadata(type: string, args: unknown, version?: number): Promise<unknown>;
  /** One call of /v2/query: `run_sql`, `bulk`… */
  query(type: string, args: unknown): Promise<unknown>;
  version(): Promise<string>;
};

/** What people copy along with the address: of the API, or of the console. */
const API_PATH = /(\/(?:v\d\w*\/(?:graphql|metadata|query|relay|version)|console)(?:\/.*)?)$/;

const versionSchema = z.object({ version: z.string() });

/**
 * The part of Hasura's API that manages it. Calls take as long as they take (building an index on
 * a large table may take hours), and throw {@link EngineRefusal} for what Hasura refused.
 *
 * @param endpoint its address, without a path of its API
 * @param adminSecret none where it was started without one
 * @throws LatchkeyError `configuration-invalid` for an address that is none; from the calls,
 *   `engine-unreachable` where Hasura gave no answer of its own
 */
export function createMetadataApi(endpoint: string, adminSecret: string | undefined): MetadataApi {
  const base = URL.parse(endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new LatchkeyError(
      'configuration-invalid',
      `"${endpoint}" is no address of a Hasura: give one such as http://127.0.0.1:8080 in HASURA_GRAPHQL_ENDPOINT or --endpoint.`,
    );
  }

  const [, api] = API_PATH.exec(base.pathname) ?? [];
  if (api !== undefined) {
    throw new LatchkeyError(
      'configuration-invalid',
      `HASURA_GRAPHQL_ENDPOINT (or --endpoint) ${endpoint} names a part of Hasura’s API: leave out ${api}, so that it is ${new URL(base.pathname.replace(API_PATH, '/'), base).href.replace(/\/$/, '')}.`,
    );
  }

  async function call(path: string, body?: unknown): Promise<unknown> {
    const headers = adminSecret === undefined ? {} : { 'x-hasura-admin-secret': adminSecret };
    const url = new URL(path, base ?? undefined);
    const answer = await send(url, headers, body).catch((cause: unknown) => {
      throw unreachable(endpoint, `does not answer (${reasonOf(cause)})`, cause);
    });
    const setting = `HASURA_GRAPHQL_ENDPOINT (or --endpoint) ${endpoint}`;
    const redirect = describeRedirect(setting, url, answer.status, answer.location);
    if (redirect !== undefined) throw new LatchkeyError('engine-unreachable', `${redirect}.`);
    const parsed = parseJson(answer.body);
    if (parsed !== undefined && answer.status < 300) return parsed;
    const refusal = refusalSchema.safeParse(parsed);
    if (refusal.success) throw new EngineRefusal(refusal.data);
    throw unreachable(endpoint, `answers /${path} with status ${answer.status}, not as Hasura does`);
  }

  return {
    endpoint: base.href.replace(/\/$/, ''),
    hasSecret: adminSecret !== undefined,
    metadata: (type, args, version) =>
      call('v1/metadata', { type, args, ...(version === undefined ? {} : { version }) }),
    query: (type, args) => call('v2/query', { type, args }),
    version: async () => versionSchema.parse(await call('v1/version')).version,
  };
}

/** Not fetch: that gives up where nothing came for five minutes. No redirect is followed. */
function send(
  url: URL,
  headers: Record<string, string>,
  content: unknown,
): Promise<{ status: number; body: string; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: content === undefined ? 'GET' : 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, body, location: response.headers.location }),
        reject,
      );
    });
    request.end(content === undefined ? undefined : JSON.stringify(content));
  });
}

function unreachable(endpoint: string, what: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError(
    'engine-unreachable',
    `Hasura at ${endpoint} ${what}: start it, or name another one in HASURA_GRAPHQL_ENDPOINT or --endpoint.`,
    { cause },
  );
}

function parseJson(received: string): unknown {
  try {
    return JSON.parse(received);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Where several addresses were tried in vain, Node leaves the message of the whole empty.
  return error.message !== '' || !('code' in error) ? error.message : String(error.code);
}
