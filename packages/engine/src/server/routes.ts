/** What each path answers. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { Api } from '#api/command.ts';
import type { ApiService } from '#api/requests/service.ts';
import { matchRoute } from '#api/rest-routes.ts';
import type { Authenticated } from '#auth/authenticated.ts';
import type { Authenticator } from '#auth/authenticator.ts';
import type { EngineConfig } from '#base/config.ts';
import { apiErrorBody, EngineError, graphqlErrorBody, toEngineError } from '#base/errors.ts';
import { type HeaderList, headerList } from '#base/headers.ts';
import type { Logger } from '#base/log.ts';
import { byLowerCaseName, createSession, type Session } from '#base/session.ts';
import { startTrace } from '#base/trace.ts';
import { HASURA_VERSION } from '#base/version.ts';
import type { GraphqlRequest, RequestContext } from '#execute/operation.ts';
import type { MetadataStore } from '#storage/metadata-store.ts';
import type { SourcePools } from '#storage/sources.ts';
import { parseExactJson } from '#values/exact-json.ts';
import { isPlainObject } from '#values/json.ts';
import { describeConfig } from './config-route.ts';
import { type GraphqlBody, readGraphqlBody } from './graphql-request.ts';
import { type Answer, parseJson, QUERY_LIMIT, readBody } from './http.ts';
import { dumpDatabase } from './pg-dump.ts';
import { parseTarget, type RequestTarget } from './request-target.ts';
import { restVariables } from './rest-variables.ts';
import { runGraphql } from './run-graphql.ts';

export interface RouteParts {
  readonly config: EngineConfig;
  readonly authenticator: Authenticator;
  readonly api: ApiService;
  readonly store: MetadataStore;
  readonly pools: Pick<SourcePools, 'pool'>;
  readonly log: Logger;
}

type ErrorFormat = (error: EngineError, withInternal: boolean) => { status: number; body: unknown };

const apiFormat: ErrorFormat = (error, withInternal) => ({
  status: error.status,
  body: apiErrorBody(error, withInternal),
});
const graphqlFormat =
  (status?: number): ErrorFormat =>
  (error, withInternal) => ({
    status: status ?? error.status,
    body: { errors: [graphqlErrorBody(error, withInternal)] },
  });
/** `/v1/graphql` answers 200 whatever happened; the old path tells the error's status. */
const V1_GRAPHQL = graphqlFormat(200);
const V1ALPHA1_GRAPHQL = graphqlFormat();

const TEXT = [['Content-Type', 'text/plain; charset=utf-8']] as const;
const NO_ROUTE: Answer = { status: 500, body: 'Internal Server Error', headers: TEXT };

/** Answers any request but WebSocket upgrades. Never throws. */
export function createRoutes(parts: RouteParts): (request: IncomingMessage) => Promise<Answer> {
  const { config, log } = parts;
  const enabled = new Set<string>(config.enabledApis);
  return async (request) => {
    const target = parseTarget(request.url ?? '/');
    const call = {
      ...target,
      request,
      headers: headerList(request.rawHeaders),
      requestId: requestId(request),
      parts,
    };
    const format =
      target.path === '/v1/graphql'
        ? V1_GRAPHQL
        : target.path === '/v1alpha1/graphql'
          ? V1ALPHA1_GRAPHQL
          : apiFormat;
    try {
      const answer = await route(call, enabled, format);
      return { ...answer, headers: [['x-request-id', call.requestId], ...(answer.headers ?? [])] };
    } catch (thrown) {
      return failure(thrown, format, false, log, call);
    }
  };
}

interface Call extends RequestTarget {
  readonly request: IncomingMessage;
  readonly headers: HeaderList;
  readonly requestId: string;
  readonly parts: RouteParts;
}

function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' ? given : randomUUID();
}

function route(call: Call, enabled: ReadonlySet<string>, format: ErrorFormat): Promise<Answer> | Answer {
  const { request, path, parts } = call;
  const on = (method: string, name: string, api?: string) =>
    request.method === method && path === name && (api === undefined || enabled.has(api));
  if (on('GET', '/healthz') || on('GET', '/hasura/healthz')) return health(call);
  if (on('GET', '/v1/version')) return answerJson({ server_type: 'ce', version: HASURA_VERSION });
  if (on('GET', '/v1alpha1/config', 'config')) {
    return admin(call, () => describeConfig(parts.config, parts.authenticator));
  }
  if (on('POST', '/v1/graphql', 'graphql') || on('POST', '/v1alpha1/graphql', 'graphql'))
    return graphql(call, format);
  if (on('GET', '/v1/graphql', 'graphql')) return persistedQuery(call);
  if (on('POST', '/v1/graphql/explain', 'metadata') || on('POST', '/v1alpha1/graphql/explain', 'metadata')) {
    return explain(call);
  }
  if (on('POST', '/v1alpha1/pg_dump', 'pgdump')) return pgDump(call);
  for (const api of ['v1/metadata', 'v2/query', 'v1/query'] as const) {
    if (on('POST', `/${api}`, 'metadata')) return command(call, api);
  }
  if (on('GET', '/api/swagger/json')) return admin(call, () => parts.api.state.core.openApi());
  if (path.startsWith('/api/rest/')) return rest(call);
  if (on('POST', '/v1beta1/relay')) {
    throw new EngineError('not-supported', 'The Relay API is not supported by the embedded engine.');
  }
  // Hasura has a route for whatever is not there by these methods alone.
  if (request.method !== 'GET' && request.method !== 'POST') return NO_ROUTE;
  // Whatever the path: an API that is turned off is not there, in the metadata API's words.
  const missing = apiFormat(new EngineError('not-found', 'resource does not exist'), false);
  return answerJson(missing.body, missing.status);
}

const answerJson = (value: unknown, status = 200, headers: Answer['headers'] = []): Answer => ({
  status,
  body: typeof value === 'string' ? value : JSON.stringify(value),
  headers,
});

async function health({ query, parts }: Call): Promise<Answer> {
  try {
    await parts.store.ping();
  } catch {
    return { status: 500, body: 'ERROR', headers: TEXT };
  }
  if (parts.api.state.inconsistencies.length === 0) return { status: 200, body: 'OK', headers: TEXT };
  return query.get('strict') === 'true'
    ? { status: 500, body: 'ERROR: inconsistent objects in schema', headers: TEXT }
    : { status: 200, body: 'WARN: inconsistent objects in schema', headers: TEXT };
}

function failure(
  thrown: unknown,
  format: ErrorFormat,
  withInternal: boolean,
  log: Logger,
  call: Call,
): Answer {
  const error = toEngineError(thrown);
  if (error.status >= 500) {
    log.error('http-log', {
      request_id: call.requestId,
      path: call.path,
      error: error.message,
      internal: error.internal,
    });
  }
  const { status, body } = format(error, withInternal);
  return answerJson(body, status, []);
}

/** Whether a role is shown internal details. */
function tellsInternal({ role }: Session, config: EngineConfig): boolean {
  return config.devMode || (role === 'admin' && config.adminInternalErrors);
}

function traced(found: Authenticated): Authenticated {
  return { ...found, session: { ...found.session, trace: startTrace() } };
}

function assertAdmin({ isAdmin }: Session): void {
  if (isAdmin) return;
  throw new EngineError('access-denied', 'You have to be an admin to access this endpoint', { status: 400 });
}

async function admin(call: Call, handle: () => unknown): Promise<Answer> {
  const { session } = await call.parts.authenticator.authenticate(call.headers);
  assertAdmin(session);
  return answerJson(handle());
}

async function command(call: Call, api: Api): Promise<Answer> {
  const { session, responseHeaders } = traced(await call.parts.authenticator.authenticate(call.headers));
  const body = await readBody(call.request);
  try {
    return answerJson(
      await call.parts.api.handle(api, parseJson(body, parseExactJson), session),
      200,
      responseHeaders,
    );
  } catch (thrown) {
    return failure(thrown, apiFormat, tellsInternal(session, call.parts.config), call.parts.log, call);
  }
}

/** Only persisted queries come by GET. */
async function persistedQuery({ parts, headers }: Call): Promise<never> {
  await parts.authenticator.authenticate(headers);
  throw new EngineError('not-supported', 'PersistedQueryNotSupported');
}

async function graphql(call: Call, format: ErrorFormat): Promise<Answer> {
  const { parts, headers, requestId: id } = call;
  const given = await readBody(call.request, QUERY_LIMIT);
  let body: GraphqlBody;
  try {
    body = readGraphqlBody(parseJson(given, parseExactJson));
  } catch (error) {
    // Who may not ask at all is told so first.
    await parts.authenticator.authenticate(headers);
    throw error;
  }
  const asked = body.kind === 'batch' ? body.requests : body.request;
  const authenticated = traced(await parts.authenticator.authenticate(headers, asked));
  const context: RequestContext = { headers, requestId: id };
  if (body.kind === 'batch') return batch(call, body.requests, authenticated, context);
  try {
    const result = await runGraphql(parts, body.request, authenticated.session, context);
    return answerJson(result.body, 200, [...authenticated.responseHeaders, ...(result.headers ?? [])]);
  } catch (thrown) {
    const withInternal = tellsInternal(authenticated.session, parts.config);
    return failure(thrown, format, withInternal, parts.log, call);
  }
}

const MAX_BATCH = 1000;

/** Each answer stands for itself; the batch as a whole is always 200. */
async function batch(
  { parts }: Call,
  requests: readonly GraphqlRequest[],
  { session, responseHeaders }: Authenticated,
  context: RequestContext,
): Promise<Answer> {
  if (requests.length > MAX_BATCH) {
    throw new EngineError(
      'bad-request',
      `a batch of ${requests.length} requests; send at most ${MAX_BATCH} at a time`,
    );
  }
  const bodies: string[] = [];
  for (const request of requests) {
    // Others get their turn too, where nothing is asked of the database.
    await setImmediate();
    try {
      bodies.push((await runGraphql(parts, request, session, context)).body);
    } catch (thrown) {
      const body = graphqlErrorBody(toEngineError(thrown), tellsInternal(session, parts.config));
      bodies.push(JSON.stringify({ errors: [body] }));
    }
  }
  return answerJson(`[${bodies.join(',')}]`, 200, responseHeaders);
}

const explainBody = z.looseObject({
  query: z.unknown(),
  user: z.record(z.string(), z.unknown()).nullish(),
  is_relay: z.boolean().nullish(),
});

async function explain(call: Call): Promise<Answer> {
  const { parts } = call;
  const { session } = await parts.authenticator.authenticate(call.headers);
  const body = await readBody(call.request);
  try {
    assertAdmin(session);
    const { query, user } = explainBody.parse(parseJson(body));
    const asking = readGraphqlBody(query);
    const asked = byLowerCaseName(
      Object.fromEntries(Object.entries(user ?? {}).map(([name, value]) => [name, String(value)])),
    );
    const viewer = createSession(asked['x-hasura-role'] ?? 'admin', asked);
    if (asking.kind === 'batch')
      throw new EngineError('not-supported', 'explaining a batch is not supported');
    return answerJson(await parts.api.state.core.explain(asking.request, viewer));
  } catch (thrown) {
    return failure(thrown, apiFormat, tellsInternal(session, parts.config), parts.log, call);
  }
}

async function pgDump(call: Call): Promise<Answer> {
  const { parts } = call;
  const { session } = await parts.authenticator.authenticate(call.headers);
  const body = await readBody(call.request);
  try {
    assertAdmin(session);
    const sql = await dumpDatabase(
      parseJson(body),
      parts.api.state.metadata,
      parts.config.env,
      parts.pools.pool,
    );
    return { status: 200, body: sql, headers: [['Content-Type', 'application/sql']] };
  } catch (thrown) {
    return failure(thrown, apiFormat, tellsInternal(session, parts.config), parts.log, call);
  }
}

const REST_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];

/** `/api/rest/…`: a stored query; the answer is its `data` without the envelope. */
async function rest(call: Call): Promise<Answer> {
  const { parts, query, headers, requestId: id, segments } = call;
  const method = call.request.method ?? 'GET';
  const authenticated = traced(await parts.authenticator.authenticate(headers));
  const text = (await readBody(call.request, QUERY_LIMIT)).toString('utf8');
  try {
    if (!REST_METHODS.includes(method))
      throw new EngineError('bad-request', `Method ${method} not supported.`);
    const path = segments.slice(2).join('/');
    const { route: found, parameters } = matchRoute(parts.api.state.restRoutes, method, path);
    const variables = restVariables(
      found.operation,
      { ...queryParameters(query, call.request, text), ...parameters },
      jsonBody(text),
    );
    const result = await runGraphql(parts, { query: found.query, variables }, authenticated.session, {
      headers,
      requestId: id,
    });
    const answer: unknown = JSON.parse(result.body);
    return answerJson(isPlainObject(answer) ? answer.data : answer, 200, authenticated.responseHeaders);
  } catch (thrown) {
    return failure(thrown, apiFormat, tellsInternal(authenticated.session, parts.config), parts.log, call);
  }
}

function queryParameters(
  query: URLSearchParams,
  request: IncomingMessage,
  text: string,
): Record<string, string> {
  const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return Object.fromEntries([...query, ...(form ? new URLSearchParams(text) : [])]);
}

function jsonBody(text: string): Record<string, unknown> {
  try {
    const value = parseExactJson(text);
    return isPlainObject(value) ? value : {};
  } catch {
    return {};
  }
}
