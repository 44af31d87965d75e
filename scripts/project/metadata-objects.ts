import { isDeepStrictEqual } from 'node:util';
import { canonical, isObject, type Json, type JsonObject } from './canonical.ts';
import type { Metadata } from './metadata.ts';

/** A list of the metadata whose items have names of their own, and how one of them is called. */
const NAMED: Readonly<Record<string, { readonly word: string; readonly by: readonly string[] }>> = {
  sources: { word: 'source', by: ['name'] },
  tables: { word: 'table', by: ['table'] },
  functions: { word: 'function', by: ['function'] },
  native_queries: { word: 'native query', by: ['root_field_name'] },
  logical_models: { word: 'logical model', by: ['name'] },
  stored_procedures: { word: 'stored procedure', by: ['stored_procedure'] },
  object_relationships: { word: 'relationship', by: ['name'] },
  array_relationships: { word: 'relationship', by: ['name'] },
  remote_relationships: { word: 'remote relationship', by: ['name'] },
  computed_fields: { word: 'computed field', by: ['name'] },
  event_triggers: { word: 'event trigger', by: ['name'] },
  select_permissions: { word: 'select permission of', by: ['role'] },
  insert_permissions: { word: 'insert permission of', by: ['role'] },
  update_permissions: { word: 'update permission of', by: ['role'] },
  delete_permissions: { word: 'delete permission of', by: ['role'] },
  permissions: { word: 'permission of', by: ['role'] },
  actions: { word: 'action', by: ['name'] },
  scalars: { word: 'custom type', by: ['name'] },
  enums: { word: 'custom type', by: ['name'] },
  input_objects: { word: 'custom type', by: ['name'] },
  objects: { word: 'custom type', by: ['name'] },
  cron_triggers: { word: 'cron trigger', by: ['name'] },
  remote_schemas: { word: 'remote schema', by: ['name'] },
  query_collections: { word: 'query collection', by: ['name'] },
  queries: { word: 'query', by: ['name'] },
  allowlist: { word: 'allowed collection', by: ['collection'] },
  rest_endpoints: { word: 'REST endpoint', by: ['name'] },
  inherited_roles: { word: 'inherited role', by: ['role_name'] },
};

const SEPARATOR = ': ';

/** What two versions of metadata differ by, each object in words: `table public.users: select permission of user`. */
export interface MetadataDifference {
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  readonly added: readonly string[];
}

/**
 * Compares metadata by their objects, whatever the order of lists and keys and however defaults are written.
 *
 * @param before what Hasura has
 * @param after what it is to have: `missing` of it is what `before` alone has
 */
export function compareMetadata(before: Metadata, after: Metadata): MetadataDifference {
  const difference = { missing: [] as string[], changed: [] as string[], added: [] as string[] };
  compareObjects(before, after, [], difference);
  return difference;
}

type Collected = { missing: string[]; changed: string[]; added: string[] };

function compareObjects(
  before: JsonObject,
  after: JsonObject,
  path: readonly string[],
  found: Collected,
): void {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (path.length === 0 && key === 'version') continue;
    const [old, fresh] = [before[key], after[key]];
    if (isNamedList(key, old) || isNamedList(key, fresh)) {
      compareLists(key, asList(old), asList(fresh), path, found);
    } else if (isPart(old) && isPart(fresh) && holdsNamedLists(old, fresh)) {
      compareObjects(old ?? {}, fresh ?? {}, path, found);
    } else if (!isSame(key, old, fresh)) {
      found.changed.push([...path, key].join(SEPARATOR));
    }
  }
}

function compareLists(
  key: string,
  before: readonly Json[],
  after: readonly Json[],
  path: readonly string[],
  found: Collected,
): void {
  const [olds, news] = [byName(key, before), byName(key, after)];
  for (const [name, old] of olds) {
    const at = [...path, name];
    const fresh = news.get(name);
    if (fresh === undefined) found.missing.push(at.join(SEPARATOR));
    else if (isObject(old) && isObject(fresh) && !isPermissionList(key))
      compareObjects(old, fresh, at, found);
    else if (!isSame(key, old, fresh)) found.changed.push(at.join(SEPARATOR));
  }
  for (const name of news.keys()) if (!olds.has(name)) found.added.push([...path, name].join(SEPARATOR));
}

/**
 * The metadata object by object, each by the words that {@link compareMetadata} calls it by: a permission as a whole,
 * a setting of a table by itself.
 */
export function objectsOf(metadata: Metadata): Map<string, Json> {
  const objects = new Map<string, Json>();
  collect(metadata, [], objects);
  return objects;
}

function collect(part: JsonObject, path: readonly string[], objects: Map<string, Json>): void {
  for (const [key, value] of Object.entries(part)) {
    if (path.length === 0 && key === 'version') continue;
    if (isNamedList(key, value)) {
      for (const [name, item] of byName(key, asList(value))) {
        const at = [...path, name];
        const isWhole = isPermissionList(key) || !isObject(item);
        objects.set(at.join(SEPARATOR), isWhole ? canonical(item) : {});
        if (!isWhole) collect(item, at, objects);
      }
    } else if (isObject(value) && holdsNamedLists(value)) {
      collect(value, path, objects);
    } else if (canonical(value, key) !== undefined) {
      objects.set([...path, key].join(SEPARATOR), canonical(value, key));
    }
  }
}

/** Whether the one path is the other, or leads to something within it. */
export function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(outer + SEPARATOR);
}

/**
 * Brings a project's metadata into those that Hasura has: somebody else's objects stay as they are, and the
 * project's own are as its files say, gone where these have them no more.
 *
 * @param isForeign whether an object of Hasura's, by its path, is somebody else's
 */
export function mergeMetadata(
  there: Metadata,
  ours: Metadata,
  isForeign: (path: string) => boolean,
): Metadata {
  const merged = mergeObjects(there, ours, [], isForeign);
  return { ...merged, version: 3, sources: [...asList(merged.sources)] };
}

type IsForeign = (path: string) => boolean;

function mergeObjects(
  there: JsonObject,
  ours: JsonObject,
  path: readonly string[],
  isForeign: IsForeign,
): Record<string, Json> {
  const merged: Record<string, Json> = {};
  for (const key of new Set([...Object.keys(there), ...Object.keys(ours)])) {
    const [theirs, mine] = [there[key], ours[key]];
    const at = [...path, key].join(SEPARATOR);
    if (isNamedList(key, theirs) || isNamedList(key, mine)) {
      merged[key] = mergeLists(key, asList(theirs), asList(mine), path, isForeign);
    } else if (isPart(theirs) && isPart(mine) && holdsNamedLists(theirs, mine)) {
      merged[key] = mergeObjects(theirs ?? {}, mine ?? {}, path, isForeign);
    } else {
      const value = theirs !== undefined && isForeign(at) ? theirs : mine;
      if (value !== undefined) merged[key] = value;
    }
  }
  return merged;
}

function mergeLists(
  key: string,
  there: readonly Json[],
  ours: readonly Json[],
  path: readonly string[],
  isForeign: IsForeign,
): Json[] {
  const mine = byName(key, ours);
  const kept = [...byName(key, there)].flatMap(([name, theirs]) => {
    const at = [...path, name];
    const own = mine.get(name);
    mine.delete(name);
    const stays = isForeign(at.join(SEPARATOR));
    if (own === undefined) return stays ? [theirs] : [];
    if (isPermissionList(key) || !isObject(theirs) || !isObject(own)) return [stays ? theirs : own];
    return [mergeObjects(theirs, own, at, isForeign)];
  });
  return [...kept, ...mine.values()];
}

/** A permission is one object: half of one and half of another would be a third that nobody wrote. */
const isPermissionList = (key: string): boolean => key.endsWith('permissions');

function byName(key: string, list: readonly Json[]): Map<string, Json> {
  const { word, by } = NAMED[key] ?? { word: key, by: [] };
  return new Map(
    list.map((item) => {
      const name = isObject(item)
        ? by.map((field) => nameOf(field, item[field])).join(' ')
        : JSON.stringify(item);
      return [`${word} ${name}`, item] as const;
    }),
  );
}

/** @example nameOf('table', 'users') // 'public.users', as { schema: 'public', name: 'users' } is called too */
function nameOf(field: string, value: Json): string {
  if (typeof value === 'string') return field === 'table' || field === 'function' ? `public.${value}` : value;
  if (!isObject(value) || typeof value.name !== 'string') return JSON.stringify(value) ?? '';
  const within = value.schema ?? value.dataset;
  return `${typeof within === 'string' ? within : 'public'}.${value.name}`;
}

const isNamedList = (key: string, value: Json): boolean => Object.hasOwn(NAMED, key) && Array.isArray(value);

/** An object, or none: custom types that Hasura does not have yet differ by each type. */
const isPart = (value: Json): value is JsonObject | undefined => value === undefined || isObject(value);

function holdsNamedLists(...objects: readonly (JsonObject | undefined)[]): boolean {
  return objects.some((object) =>
    Object.entries(object ?? {}).some(([key, value]) => isNamedList(key, value)),
  );
}

function isSame(key: string, one: Json, other: Json): boolean {
  return isDeepStrictEqual(canonical(one, key), canonical(other, key));
}

function asList(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
