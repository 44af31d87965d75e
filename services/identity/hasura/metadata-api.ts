import { z } from 'zod';
import type { EngineConfig } from '../core/config.ts';
import { LatchkeyError } from '../core/errors.ts';

const REFUSAL = z.object({
  error: z.string(),
  code: z.string(),
  path: z.string().optional(),
  internal: z.unknown(),
});

/** What the engine said against a metadata or schema call, in its own words. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal';
  readonly code: string;
  readonly path: string;
  /** What the engine tells administrators of its inside, such as PostgreSQL's error. */
  readonly internal: unknown;

  constructor(refusal: z.infer<typeof REFUSAL>) {
    super(refusal.error);
    this.code = refusal.code;
    this.path = refusal.path ?? '$';
    this.internal = refusal.internal;
  }
}

export interface MetadataApi {
  /** `POST /v1/metadata`: `{type, args}` as Hasura documents them; `version` only where a call has several. */
  metadata(type: string, args: unknown, version?: number): Promise<unknown>;
  /** `POST /v2/query`: `run_sql`, `bulk`… */
  query(type: string, args: unknown): Promise<unknown>;
  /** `GET` of a public path of the engine, such as `/v1/version`. */
  get(path: string): Promise<unknown>;
}

/**
 * A client of the engine's administrative API.
 *
 * Its calls throw {@link EngineRefusal} for what the engine refused, and LatchkeyError
 * `engine-unreachable` where it gave no answer of its own.
 *
 * @example
 * const api = createMetadataApi({ endpoint: 'http://127.0.0.1:8080', adminSecret: 'secret', timeoutMs: 10_000 });
 * await api.metadata('export_metadata', {}, 2); // { resource_version, metadata }
 */
export function createMetadataApi({ endpoint, adminSecret, timeoutMs }: EngineConfig): MetadataApi {
  async function exchange(path: string, body: unknown): Promise<{ response: Response; text: string }> {
    const response = await fetch(`${endpoint}${path}`, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': adminSecret },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return { response, text: await response.text() };
  }

  async function send(path: string, body?: unknown): Promise<unknown> {
    const { response, text } = await exchange(path, body).catch((cause: unknown) => {
      throw unreachable(endpoint, 'does not answer', cause);
    });
    const answer = parseJson(text);
    if (response.ok) return answer ?? text;
    const refusal = REFUSAL.safeParse(answer);
    if (refusal.success) throw new EngineRefusal(refusal.data);
    throw unreachable(endpoint, `answered ${path} with status ${response.status}`);
  }

  return {
    metadata: (type, args, version) =>
      send('/v1/metadata', { type, args, ...(version === undefined ? {} : { version }) }),
    query: (type, args) => send('/v2/query', { type, args }),
    get: (path) => send(path),
  };
}

function unreachable(endpoint: string, what: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError(
    'engine-unreachable',
    `The engine at ${new URL(endpoint).origin} ${what}: start it, or correct HASURA_GRAPHQL_ENDPOINT.`,
    { cause },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
