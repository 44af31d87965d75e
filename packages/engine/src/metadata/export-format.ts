/** The format of the export: what is not set is left out, keys are ordered. */
import { isPlainObject } from '#values/json.ts';

export type Out = Record<string, unknown>;

/** Without the keys whose value is undefined. */
export function compact(object: Readonly<Out>): Out {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** Keys in alphabetical order, all the way down; undefined left out. */
export function sorted(object: Readonly<Out>): Out {
  return Object.fromEntries(
    Object.entries(compact(object))
      .sort(([a], [b]) => compare(a, b))
      .map(([key, value]) => [key, sortedValue(value)]),
  );
}

export function sortedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedValue);
  return isPlainObject(value) ? sorted(value) : value;
}

export function sortBy<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  return [...items].sort((a, b) => compare(key(a), key(b)));
}

/** By code point, as Hasura's `Text` compares. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function nonEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length > 0 ? items : undefined;
}

export function plainName({ schema, name }: { readonly schema: string; readonly name: string }): Out {
  return { name, schema };
}
