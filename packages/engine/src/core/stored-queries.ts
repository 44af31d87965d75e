/** Queries of collections that the schema cannot answer (any more). */
import { parse, print } from '#base/graphql.ts';
import type { RoleSchema } from '#ir/schema.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import type { Metadata } from '#metadata/types.ts';
import { diagnose } from '#plan/diagnose.ts';

/** @param schema of the admin */
export function checkStoredQueries(metadata: Metadata, schema: RoleSchema): InconsistentObject[] {
  const allowed = new Set(allowedTexts(metadata));
  return metadata.query_collections.flatMap(({ name: collection, definition }) =>
    definition.queries.flatMap(({ name, query }) => {
      const faults = diagnose(query, schema);
      if (faults.length === 0) return [];
      const endpoints = endpointsOf(query, metadata);
      const usedBy =
        endpoints.length === 0
          ? ''
          : `. This query is being used in the following REST endpoint(s): ${quotedList(endpoints)}`;
      // Hasura keeps allowed queries without `__typename`, and compares this one as it is.
      const listed =
        !query.includes('__typename') && allowed.has(normal(query)) ? '. This query is in allowlist.' : '';
      return [
        {
          type: 'query_collections',
          name: `query_collections ${name} in ${collection}`,
          definition: { name, query },
          reason: `Inconsistent object: In query collection "${collection}" the query "${name}" is invalid with the following error(s): ${quotedList(faults)}${usedBy}${listed}`,
        },
      ];
    }),
  );
}

const quotedList = (items: readonly string[]) => items.map((item) => `"${item}"`).join(', ');

function endpointsOf(query: string, metadata: Metadata): string[] {
  return metadata.rest_endpoints
    .filter(({ definition: { query: used } }) => {
      const collection = metadata.query_collections.find(({ name }) => name === used.collection_name);
      return collection?.definition.queries.find(({ name }) => name === used.query_name)?.query === query;
    })
    .map(({ name }) => name)
    .reverse();
}

function allowedTexts(metadata: Metadata): string[] {
  return metadata.query_collections
    .filter(({ name }) =>
      metadata.allowlist.some(
        (entry) => entry.collection === name && 'global' in entry.scope && entry.scope.global,
      ),
    )
    .flatMap(({ definition }) => definition.queries.map(({ query }) => normal(query)));
}

function normal(query: string): string {
  return print(parse(query, { noLocation: true }));
}
