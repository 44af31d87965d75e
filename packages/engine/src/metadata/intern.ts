/** Roles often have the same permission, on one table or on many: it is kept in memory once. */
import type { Metadata } from './types.ts';

/** The same metadata, in which permissions that are equal are one object. */
export function internPermissions(metadata: Metadata): Metadata {
  const select = createInterner();
  const insert = createInterner();
  const update = createInterner();
  const remove = createInterner();
  return {
    ...metadata,
    sources: metadata.sources.map((source) => ({
      ...source,
      tables: source.tables.map((table) => ({
        ...table,
        select_permissions: select(table.select_permissions),
        insert_permissions: insert(table.insert_permissions),
        update_permissions: update(table.update_permissions),
        delete_permissions: remove(table.delete_permissions),
      })),
    })),
  };
}

function createInterner() {
  const known = new Map<string, unknown>();
  return <Entry extends { permission: unknown }>(entries: readonly Entry[]): Entry[] =>
    entries.map((entry) => {
      const key = JSON.stringify(entry.permission);
      if (!known.has(key)) known.set(key, entry.permission);
      return { ...entry, permission: known.get(key) };
    });
}
