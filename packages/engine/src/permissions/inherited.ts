/** What a role may do by the roles it is made of. */
import { all, NEVER, type Predicate } from '#ir/predicate.ts';
import type { DeleteAccess, InsertAccess, SelectAccess, UpdateAccess } from '#ir/tracked.ts';

/**
 * Reading adds up: a row that any parent sees is seen, and of it the columns that the parents who see the
 * row may read; the others are null.
 */
export function inheritSelect(parents: readonly SelectAccess[]): SelectAccess | undefined {
  const [only] = parents;
  if (only === undefined) return undefined;
  const limits = parents.flatMap(({ limit }) => limit ?? []);
  return {
    columns: mergeFields(parents, (access) => access.columns),
    computedFields: mergeFields(parents, (access) => access.computedFields),
    filter: anyOf(parents.map(({ filter }) => filter)),
    limit: limits.length === 0 ? undefined : Math.max(...limits),
    aggregations: parents.some(({ aggregations }) => aggregations),
    queryRootFields: mergeRootFields(parents.map((access) => access.queryRootFields)),
    subscriptionRootFields: mergeRootFields(parents.map((access) => access.subscriptionRootFields)),
  };
}

function mergeFields(
  parents: readonly SelectAccess[],
  fieldsOf: (access: SelectAccess) => ReadonlyMap<string, Predicate | undefined>,
): Map<string, Predicate | undefined> {
  const merged = new Map<string, Predicate | undefined>();
  const names = new Set(parents.flatMap((parent) => [...fieldsOf(parent).keys()]));
  for (const name of names) {
    const having = parents.filter((parent) => fieldsOf(parent).has(name));
    const visible = having.map((parent) => fieldsOf(parent).get(name));
    const always = having.length === parents.length && visible.every((predicate) => predicate === undefined);
    merged.set(
      name,
      always
        ? undefined
        : anyOf(having.map((parent, index) => all([visible[index] ?? all([]), parent.filter]))),
    );
  }
  return merged;
}

function anyOf(items: readonly Predicate[]): Predicate {
  const [only] = items;
  if (only === undefined) return NEVER;
  return items.length === 1 ? only : { kind: 'or', items };
}

/** Undefined is all of them. */
function mergeRootFields(
  sets: readonly (ReadonlySet<string> | undefined)[],
): ReadonlySet<string> | undefined {
  const merged = new Set<string>();
  for (const set of sets) {
    if (set === undefined) return undefined;
    for (const field of set) merged.add(field);
  }
  return merged;
}

export type Inheritable = InsertAccess | UpdateAccess | DeleteAccess;

/** Writing does not add up: parents that disagree give the role nothing. */
export function inherit<Access extends Inheritable>(
  parents: readonly Access[],
): Access | 'conflict' | undefined {
  const [first, ...others] = parents;
  if (first === undefined) return undefined;
  const written = write(first);
  return others.every((other) => write(other) === written) ? first : 'conflict';
}

/** Equal for permissions that say the same, in whatever order. */
function write(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item instanceof Set) return [...item].sort();
    if (
      typeof item === 'object' &&
      item !== null &&
      'kind' in item &&
      'items' in item &&
      Array.isArray(item.items)
    )
      return { kind: item.kind, items: item.items.map((part: unknown) => write(part)).sort() };
    return item;
  });
}
