/** RESTified endpoints: `/api/rest/<url>` answers with a stored query. */

import { objectName } from '#api/editing/names.ts';
import { EngineError } from '#base/errors.ts';
import { type OperationDefinitionNode, parse } from '#base/graphql.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import type { Metadata, RestEndpoint } from '#metadata/types.ts';
import type { Json } from '#values/json.ts';

export interface RestRoute {
  readonly endpoint: RestEndpoint;
  /** `:name` is a parameter. */
  readonly segments: readonly string[];
  readonly query: string;
  readonly operation: OperationDefinitionNode;
}

interface Checked {
  readonly routes: readonly RestRoute[];
  readonly inconsistencies: readonly InconsistentObject[];
}

/** Splits the endpoints into those that can be served and those that cannot. */
export function checkEndpoints(metadata: Metadata): Checked {
  const routes: RestRoute[] = [];
  const inconsistencies: InconsistentObject[] = [];
  for (const endpoint of metadata.rest_endpoints) {
    const route = checkEndpoint(endpoint, metadata);
    if (typeof route === 'string') inconsistencies.push(inconsistent(endpoint, route));
    else routes.push(route);
  }
  const ambiguous = findAmbiguous(routes);
  if (ambiguous.length > 0) inconsistencies.push(ambiguity(ambiguous));
  return { routes, inconsistencies };
}

function checkEndpoint(endpoint: RestEndpoint, metadata: Metadata): RestRoute | string {
  const segments = endpoint.url.split('/');
  if (segments.some((segment) => segment === '' || segment === ':')) {
    return `Empty segments or unnamed variables are not allowed: ${endpoint.url}`;
  }
  const parameters = segments.filter((segment) => segment.startsWith(':'));
  if (new Set(parameters).size < parameters.length) {
    return `Duplicate variables found in endpoint path: ${endpoint.url}`;
  }
  const { collection_name: collection, query_name: name } = endpoint.definition.query;
  const problem = (text: string) => `Inconsistent object: in endpoint ${endpoint.name}: ${text}`;
  const found = metadata.query_collections.find((candidate) => candidate.name === collection);
  if (found === undefined) return problem(`collection with name ${collection} does not exist`);
  const query = found.definition.queries.find((candidate) => candidate.name === name)?.query;
  if (query === undefined)
    return problem(`query with name ${name} does not exist in collection ${collection}`);
  const operation = onlyOperation(query);
  if (operation === undefined)
    return problem(`query with name ${name} should contain exactly one definition`);
  if (operation.operation === 'subscription') return problem(`query with name ${name} is a subscription`);
  return { endpoint, segments, query, operation };
}

function onlyOperation(query: string): OperationDefinitionNode | undefined {
  try {
    const operations = parse(query).definitions.filter((node) => node.kind === 'OperationDefinition');
    return operations.length === 1 ? operations[0] : undefined;
  } catch {
    return undefined;
  }
}

function findAmbiguous(routes: readonly RestRoute[]): RestRoute[] {
  return routes.filter((route) => routes.some((other) => other !== route && overlap(route, other)));
}

function overlap(a: RestRoute, b: RestRoute): boolean {
  if (a.segments.length !== b.segments.length) return false;
  if (!a.endpoint.methods.some((method) => b.endpoint.methods.includes(method))) return false;
  return a.segments.every((segment, index) => {
    const other = b.segments[index] ?? '';
    return segment.startsWith(':') || other.startsWith(':') || segment === other;
  });
}

function definition(endpoint: RestEndpoint): { [key: string]: Json } {
  return {
    comment: endpoint.comment ?? null,
    definition: { query: { ...endpoint.definition.query } },
    methods: [...endpoint.methods],
    name: endpoint.name,
    url: endpoint.url,
  };
}

function inconsistent(endpoint: RestEndpoint, reason: string): InconsistentObject {
  return {
    definition: definition(endpoint),
    name: objectName.endpoint(endpoint.name),
    reason,
    type: 'rest_endpoint',
  };
}

/** A conflict is reported as the endpoints that are part of it. */
function ambiguity(routes: readonly RestRoute[]): InconsistentObject {
  const ordered = [...routes].sort((a, b) => (a.endpoint.name < b.endpoint.name ? -1 : 1));
  const conflicts = ordered.map(({ endpoint, query }) => ({
    ...definition(endpoint),
    definition: { query },
  }));
  const urls = [...new Set(routes.map(({ endpoint }) => endpoint.url))].sort();
  const reason = `Ambiguous URL paths: ${urls.join(', ')}`;
  const object = { definition: conflicts, name: 'ambiguous rest endpoints', reason, type: 'rest_endpoint' };
  return Object.assign(object, { toJSON: () => ({ conflicts, reason }) });
}

export interface RestMatch {
  readonly route: RestRoute;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * @param path what follows `/api/rest/`
 * @throws {EngineError} `not-found`, `method-not-allowed`
 */
export function matchRoute(routes: readonly RestRoute[], method: string, path: string): RestMatch {
  const parts = path.split('/');
  const matching = routes.filter(
    ({ segments }) =>
      segments.length === parts.length &&
      segments.every((segment, index) => segment.startsWith(':') || segment === parts[index]),
  );
  if (matching.length === 0) throw new EngineError('not-found', 'Endpoint not found');
  const route = matching.find(({ endpoint }) => endpoint.methods.some((allowed) => allowed === method));
  if (route === undefined) {
    const allowed = [...new Set(matching.flatMap(({ endpoint }) => endpoint.methods))].sort();
    throw new EngineError('method-not-allowed', `Allowed methods: ${allowed.join(', ')}`);
  }
  const parameters: Record<string, string> = {};
  for (const [index, segment] of route.segments.entries()) {
    if (segment.startsWith(':')) parameters[segment.slice(1)] = parts[index] ?? '';
  }
  return { route, parameters };
}
