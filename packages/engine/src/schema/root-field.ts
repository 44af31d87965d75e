/** What root fields are called and said to be. */

import { custom } from '#ir/naming.ts';
import type { RootFieldKind, Table } from '#ir/tracked.ts';
import { displayName } from '#postgres/catalog.ts';
import type { Builder } from './builder.ts';

/** A root field's name: the user's, or made of the table's. */
export function rootFieldName(
  builder: Builder,
  table: Table,
  kind: RootFieldKind,
  make: (name: Table['identifier']) => string,
): string {
  const chosen = table.rootFields.get(kind)?.name;
  return builder.names.rootField(
    chosen === undefined ? make(table.identifier) : builder.names.field(custom(chosen)),
  );
}

/** The user's comment, or the generated description. An empty comment is no description. */
export function rootFieldDescription(
  table: Table,
  kind: RootFieldKind,
  generated: string,
): string | undefined {
  const comment = table.rootFields.get(kind)?.comment;
  return comment === undefined ? generated : comment === '' ? undefined : comment;
}

export function selectName(builder: Builder, table: Table): string {
  return rootFieldName(builder, table, 'select', (name) => builder.names.field(name));
}

export function selectDescription(table: Table): string | undefined {
  return rootFieldDescription(table, 'select', `fetch data from the table: "${displayName(table.name)}"`);
}

export function aggregateName(builder: Builder, table: Table): string {
  return rootFieldName(builder, table, 'select_aggregate', (name) => builder.names.field(name, 'aggregate'));
}

export function aggregateDescription(table: Table): string | undefined {
  return rootFieldDescription(
    table,
    'select_aggregate',
    `fetch aggregated fields from the table: "${displayName(table.name)}"`,
  );
}
