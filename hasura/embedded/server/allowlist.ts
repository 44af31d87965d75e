/** With the allowlist on, roles other than admin may only run queries of the listed collections. */
import { type DocumentNode, Kind, parse, print, visit } from 'graphql';
import { EngineError } from '../errors.ts';
import type { Metadata } from '../metadata/types.ts';
import type { Session } from '../session.ts';

interface Listed {
  readonly global: ReadonlySet<string>;
  readonly byRole: ReadonlyMap<string, ReadonlySet<string>>;
}

const memo = new WeakMap<Metadata, Listed>();

/** @throws {EngineError} `validation-failed` */
export function checkAllowlist(metadata: Metadata, query: string, session: Session): void {
  if (session.isAdmin) return;
  const listed = memo.get(metadata) ?? collect(metadata);
  memo.set(metadata, listed);
  const text = normalize(query);
  if (text !== undefined && (listed.global.has(text) || listed.byRole.get(session.role)?.has(text))) return;
  throw new EngineError('validation-failed', 'query is not allowed');
}

function collect(metadata: Metadata): Listed {
  const global = new Set<string>();
  const byRole = new Map<string, Set<string>>();
  for (const { collection, scope } of metadata.allowlist) {
    const found = metadata.query_collections.find(({ name }) => name === collection);
    for (const { query } of found?.definition.queries ?? []) {
      const text = normalize(query);
      if (text === undefined) continue;
      if (scope.global) global.add(text);
      else {
        for (const role of scope.roles) byRole.set(role, (byRole.get(role) ?? new Set<string>()).add(text));
      }
    }
  }
  return { global, byRole };
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
