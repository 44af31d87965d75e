/** Relationships between sources: what depends on them does so across sources, and follows renamings. */
import { type Metadata, type QualifiedName, type RemoteRelationship, remoteTable } from '#metadata/types.ts';
import type { Dependent } from './dependencies.ts';
import { sameName, withTable } from './find.ts';
import { dependent } from './names.ts';

/** A relationship, and the table it is of. */
interface Owned {
  readonly source: string;
  readonly table: QualifiedName;
  readonly relationship: RemoteRelationship;
}

/** Relationships of other sources that lead to `source`. */
export function dependentsOfSource(metadata: Metadata, source: string): Dependent[] {
  return dependentsWhere(
    metadata,
    source,
    (owned) => owned.source !== source && targetOf(owned).source === source,
  );
}

/** Relationships that lead to a table, but for its own. */
export function remoteDependentsOfTable(
  metadata: Metadata,
  source: string,
  table: QualifiedName,
): Dependent[] {
  return dependentsWhere(
    metadata,
    source,
    (owned) => leadsTo(owned, source, table) && !isOf(owned, source, table),
  );
}

/** Relationships that join by a column, or by a computed field, of a table. */
export function remoteDependentsOfField(
  metadata: Metadata,
  source: string,
  table: QualifiedName,
  field: string,
): Dependent[] {
  return dependentsWhere(metadata, source, (owned) => {
    const mapping = targetOf(owned).field_mapping;
    return (
      (isOf(owned, source, table) && Object.hasOwn(mapping, field)) ||
      (leadsTo(owned, source, table) && Object.values(mapping).includes(field))
    );
  });
}

/** What a table and its columns are called from now on. */
export interface Renaming {
  readonly from: QualifiedName;
  readonly to: QualifiedName;
  readonly columns: readonly (readonly [from: string, to: string])[];
}

/** Both ends of the relationships after tables and columns of `source` are renamed. */
export function renameInRemoteRelationships(
  metadata: Metadata,
  source: string,
  renamings: readonly Renaming[],
): Metadata {
  const followed = (owned: Owned): RemoteRelationship => {
    const target = targetOf(owned);
    const here = renamings.find(({ from }) => isOf(owned, source, from));
    const there = renamings.find(({ from }) => leadsTo(owned, source, from));
    const mapping = Object.entries(target.field_mapping).map(([local, remote]) => [
      renamed(local, here),
      renamed(remote, there),
    ]);
    const isMoved = there !== undefined && !sameName(there.from, there.to);
    return {
      ...owned.relationship,
      definition: {
        to_source: {
          ...target,
          field_mapping: Object.fromEntries(mapping),
          table: isMoved ? { ...there.to } : target.table,
        },
      },
    };
  };
  return {
    ...metadata,
    sources: metadata.sources.map((owner) => ({
      ...owner,
      tables: owner.tables.map((entry) => ({
        ...entry,
        remote_relationships: entry.remote_relationships.map((relationship) =>
          followed({ source: owner.name, table: entry.table, relationship }),
        ),
      })),
    })),
  };
}

const renamed = (column: string, renaming: Renaming | undefined) =>
  renaming?.columns.find(([from]) => from === column)?.[1] ?? column;

const targetOf = ({ relationship }: Owned) => relationship.definition.to_source;

const isOf = (owned: Owned, source: string, table: QualifiedName) =>
  owned.source === source && sameName(owned.table, table);

const leadsTo = (owned: Owned, source: string, table: QualifiedName) =>
  targetOf(owned).source === source && sameName(remoteTable(owned.relationship), table);

/** @param of the source whose tables are meant where the dependents name one */
function dependentsWhere(metadata: Metadata, of: string, uses: (owned: Owned) => boolean): Dependent[] {
  return metadata.sources.flatMap((owner) =>
    owner.tables.flatMap((entry) =>
      entry.remote_relationships.flatMap((relationship): Dependent[] => {
        const { name: source } = owner;
        const { table } = entry;
        if (!uses({ source, table, relationship })) return [];
        return [
          {
            text: dependent.remoteRelationship(source, table, relationship.name),
            table: source === of ? table : undefined,
            remove: (current) =>
              withTable(current, source, table, (one) => ({
                ...one,
                remote_relationships: one.remote_relationships.filter(
                  ({ name }) => name !== relationship.name,
                ),
              })),
          },
        ];
      }),
    ),
  );
}
