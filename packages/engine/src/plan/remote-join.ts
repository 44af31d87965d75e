/**
 * Rows of another source that belong to rows at hand. The statement at hand leaves a gap with the keys
 * where they go; `execute/remote-joins.ts` asks the other source for all gaps at once and fills them.
 */
import type { Column } from '#schema/tracked.ts';
import type { RemoteSelection, TableView } from '#schema/types.ts';
import type { Selecting } from './collect.ts';
import type { CheckedField } from './field.ts';
import type { Operand } from './predicate.ts';
import { planAggregate, planRows, planSingle } from './select.ts';
import type { RemoteJoin, RowField, Source } from './types.ts';

export interface RemoteTarget {
  readonly view: TableView;
  /** The columns there, in the order of the keys. */
  readonly columns: readonly Column[];
  readonly selects: RemoteSelection;
}

/** @returns the number of the join among those of the operation */
export function planRemoteJoin(
  { view, columns, selects }: RemoteTarget,
  checked: CheckedField,
  context: Selecting,
): number {
  const { name: table, source } = view.table;
  const from: Source = { kind: 'table', table };
  const rows: RemoteJoin['rows'] =
    selects === 'aggregate'
      ? { kind: 'aggregate', node: planAggregate(from, view, checked, context) }
      : selects === 'object'
        ? { kind: 'object', rows: planSingle(from, view.access.filter, checked, context) }
        : { kind: 'array', rows: planRows(from, view, checked, context) };
  return context.remoteJoins.push({ source, columns, rows }) - 1;
}

/**
 * A role that inherits a column for some rows only joins by what it sees where it selects the column, and
 * by the column itself where it does not: as Hasura, which takes the key out of the answer.
 */
export function joinBySelected(fields: readonly RowField[]): readonly RowField[] {
  if (!fields.some(({ value }) => value.kind === 'remote')) return fields;
  const selected = new Map<string, Operand>();
  for (const { value } of fields)
    if (value.kind === 'scalar' && value.operand.kind === 'column')
      selected.set(value.operand.column, value.operand);
  const visible = (key: Operand) => (key.kind === 'column' ? (selected.get(key.column) ?? key) : key);
  return fields.map(({ alias, value }) =>
    value.kind === 'remote'
      ? { alias, value: { ...value, keys: value.keys.map(visible) } }
      : { alias, value },
  );
}
