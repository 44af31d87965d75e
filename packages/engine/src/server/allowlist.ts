/** With the allowlist on, roles other than admin may only run queries of the listed collections. */

import { EngineError } from '#base/errors.ts';
import { type DocumentNode, Kind, parse, print, visit } from '#base/graphql.ts';
import type { Session } from '#base/session.ts';
import type { Metadata } from '#metadata/types.ts';

const memo = new WeakMap<Metadata, ReadonlySet<string>>();

/**
 * Collections that are listed for some roles only count for nobody: that is Hasura's Enterprise Edition.
 * @throws {EngineError} `validation-failed`
 */
export function checkAllowlist(metadata: Metadata, query: string, session: Session): void {
  if (session.isAdmin) return;
  const listed = memo.get(metadata) ?? collect(metadata);
  memo.set(metadata, listed);
  const text = normalize(query);
  if (text !== undefined && listed.has(text)) return;
  throw new EngineError('validation-failed', 'query is not allowed');
}

function collect(metadata: Metadata): ReadonlySet<string> {
  const global = new Set(
    metadata.allowlist.filter(({ scope }) => scope.global).map(({ collection }) => collection),
  );
  const queries = metadata.query_collections
    .filter(({ name }) => global.has(name))
    .flatMap(({ definition }) => definition.queries.map(({ query }) => normalize(query)));
  return new Set(queries.filter((text) => text !== undefined));
}

/** The document without `__typename`, which clients add by themselves; undefined where it does not parse. */
function normalize(query: string): string | undefined {
  let document: DocumentNode;
  try {
    document = parse(query, { noLocation: true });
  } catch {
    return undefined;
  }
  const bare = visit(document, {
    [Kind.FIELD]: (node) => (node.name.value === '__typename' ? null : undefined),
  });
  return print(bare);
}
