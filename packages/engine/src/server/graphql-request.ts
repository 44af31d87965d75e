/** From a body to GraphQL requests, with Hasura's errors. */

import { EngineError, jsonPath } from '#base/errors.ts';
import type { GraphqlRequest } from '#execute/operation.ts';
import { isPlainObject, jsonType } from '#values/json.ts';

const TYPE = 'Hasura.GraphQL.Transport.HTTP.Protocol.GQLReq(GQLReq)';

export type GraphqlBody =
  | { readonly kind: 'single'; readonly request: GraphqlRequest }
  | { readonly kind: 'batch'; readonly requests: readonly GraphqlRequest[] };

/** One request, or a list of them. @throws {EngineError} */
export function readGraphqlBody(body: unknown): GraphqlBody {
  if (!Array.isArray(body)) return { kind: 'single', request: readGraphqlRequest(body, []) };
  const requests = body.map((item: unknown, index) => readGraphqlRequest(item, [index]));
  return { kind: 'batch', requests };
}

/** @throws {EngineError} `parse-failed`, `not-supported` for persisted queries */
export function readGraphqlRequest(value: unknown, at: readonly PropertyKey[]): GraphqlRequest {
  const fail = (message: string, path: readonly PropertyKey[]) =>
    new EngineError('parse-failed', message, { path: jsonPath(path) });
  if (!isPlainObject(value)) {
    throw fail(`parsing ${TYPE} failed, expected Object, but encountered ${jsonType(value)}`, at);
  }
  const { query, operationName, variables, extensions } = value;
  if (isPlainObject(extensions) && extensions.persistedQuery !== undefined) {
    throw new EngineError('not-supported', 'PersistedQueryNotSupported');
  }
  if (query === undefined) throw fail(`parsing ${TYPE} failed, key "query" not found`, at);
  if (typeof query !== 'string') {
    throw fail(`parsing Text failed, expected String, but encountered ${jsonType(query)}`, [...at, 'query']);
  }
  if (operationName != null && typeof operationName !== 'string') {
    throw fail(`parsing Text failed, expected String, but encountered ${jsonType(operationName)}`, [
      ...at,
      'operationName',
    ]);
  }
  if (variables != null && !isPlainObject(variables)) {
    throw fail(`parsing HashMap failed, expected Object, but encountered ${jsonType(variables)}`, [
      ...at,
      'variables',
    ]);
  }
  return {
    query,
    ...(operationName == null ? {} : { operationName }),
    ...(variables == null ? {} : { variables }),
  };
}
