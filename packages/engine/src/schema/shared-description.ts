/**
 * Hasura makes one field of all that select from a table under one name: a root field `articles` and an array
 * relationship `articles` to the same table have the description of the one that is found first.
 */

import { hashOrder } from '#base/hash-order.ts';
import type { Table } from '#ir/tracked.ts';
import type { QualifiedName } from '#postgres/catalog.ts';
import { tableKey } from '#postgres/catalog.ts';
import type { Builder } from './builder.ts';
import { aggregateDescription, aggregateName, selectDescription, selectName } from './root-field.ts';

type Kind = 'select' | 'select_aggregate';

export const ARRAY_RELATIONSHIP = 'An array relationship';
export const AGGREGATE_RELATIONSHIP = 'An aggregate relationship';

/** @param own the description where no other was found before */
export function sharedDescription(
  builder: Builder,
  table: Pick<Table, 'name'>,
  kind: Kind,
  field: string,
  own: string | undefined,
): string | undefined {
  const claimed = builder.once('shared descriptions', () => claimDescriptions(builder));
  const key = claimKey(table.name, kind, field);
  return claimed.has(key) ? claimed.get(key) : own;
}

function claimKey(table: QualifiedName, kind: Kind, field: string): string {
  return `${kind} ${field} ${tableKey(table)}`;
}

/** Goes through the role's fields as Hasura does: functions, then tables, each with all that it leads to. */
function claimDescriptions(builder: Builder): ReadonlyMap<string, string | undefined> {
  const { source, role } = builder;
  const claimed = new Map<string, string | undefined>();
  const claim = (table: QualifiedName, kind: Kind, field: string, description: string | undefined) => {
    const key = claimKey(table, kind, field);
    if (!claimed.has(key)) claimed.set(key, description);
  };
  const seen = new Set<string>();
  const follow = (name: QualifiedName) => {
    const view = builder.view(name);
    if (view === undefined || seen.has(tableKey(name))) return;
    seen.add(tableKey(name));
    const { relationships, computedFields } = view.table;
    for (const field of hashOrder([...relationships.keys(), ...computedFields.keys()], (key) => key)) {
      const relationship = relationships.get(field);
      const computed = computedFields.get(field);
      if (computed?.returns.kind === 'table') follow(computed.returns.table);
      if (relationship === undefined) continue;
      const target = builder.view(relationship.target);
      if (target === undefined) continue;
      follow(relationship.target);
      if (relationship.kind === 'object') continue;
      claim(relationship.target, 'select', relationship.name, ARRAY_RELATIONSHIP);
      const aggregate = builder.names.fieldCase(`${relationship.name}_aggregate`);
      if (target.access.aggregations)
        claim(relationship.target, 'select_aggregate', aggregate, AGGREGATE_RELATIONSHIP);
    }
  };
  const functions = source.functions.filter((fn) => fn.exposedAs === 'query' && fn.allows(role));
  for (const fn of hashOrder(functions, ({ function: { name } }) => [name.schema, name.name]))
    follow(fn.returns);
  for (const table of hashOrder([...source.tables.values()], ({ name }) => [name.schema, name.name])) {
    const view = builder.view(table.name);
    if (view === undefined) continue;
    follow(table.name);
    claim(table.name, 'select', selectName(builder, table), selectDescription(table));
    if (view.access.aggregations)
      claim(table.name, 'select_aggregate', aggregateName(builder, table), aggregateDescription(table));
  }
  return claimed;
}
