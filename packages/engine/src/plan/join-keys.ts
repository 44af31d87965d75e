import type { Operand } from '#ir/predicate.ts';
import type { RowField } from '#ir/select.ts';

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
