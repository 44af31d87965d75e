/** What is shown to the webhooks that validate a mutation's input: the client's part of it, without presets. */

import type { Input, ObjectInput } from '#ir/input.ts';
import type { MutationMeaning, WriteView } from '#ir/mutation-meaning.ts';
import type { InputHook, InputValidation } from '#ir/validation.ts';
import { tableKey } from '#postgres/catalog.ts';
import { writeJson } from '#values/number.ts';
import { toJson, type Variables } from '#values/variables.ts';
import type { CheckedField } from './field.ts';
import { findInput, rowInputs } from './mutation-insert.ts';

/**
 * One per table that the field writes to and whose permission asks for it, parents before what is nested
 * in them. The plan depends on every variable that is shown.
 */
export function planValidations(
  checked: CheckedField,
  meaning: Extract<MutationMeaning, { readonly view: WriteView }>,
  variables: Variables,
): readonly InputValidation[] {
  const { kind, view } = meaning;
  const { table, role } = view;
  switch (kind) {
    case 'insert':
    case 'insert-one': {
      const tables = new Map<string, { hook: InputHook; rows: unknown[] }>();
      collectRows(view, [...checked.arguments.values()], variables, tables);
      return Array.from(tables.values(), ({ hook, rows }) => ({ hook, input: writeJson(rows) }));
    }
    case 'update':
    case 'update-by-pk':
    case 'update-many':
      return show(table.updateAccess(role)?.inputHook, () => {
        const given = argumentsOf(checked, variables);
        return kind === 'update-many' ? given.updates : [given];
      });
    case 'delete':
      return show(table.deleteAccess(role)?.inputHook, () => [argumentsOf(checked, variables)]);
    case 'delete-by-pk':
      return show(table.deleteAccess(role)?.inputHook, () => [
        { pk_columns: argumentsOf(checked, variables) },
      ]);
  }
}

function show(hook: InputHook | undefined, input: () => unknown): readonly InputValidation[] {
  return hook === undefined ? [] : [{ hook, input: writeJson(input()) }];
}

/** As GraphQL names them. */
function argumentsOf({ node }: CheckedField, variables: Variables): Record<string, unknown> {
  return Object.fromEntries(
    (node.arguments ?? []).map(({ name, value }) => [
      name.value,
      toJson({ kind: 'literal', node: value }, variables),
    ]),
  );
}

/** Rows of one table are shown together, wherever in the input they stand. */
function collectRows(
  { table, role }: WriteView,
  entries: ObjectInput['fields'],
  variables: Variables,
  tables: Map<string, { hook: InputHook; rows: unknown[] }>,
): void {
  const hook = table.insertAccess(role)?.inputHook;
  const input = findInput(entries, 'rows');
  // Nothing is nested in plain rows.
  if (input?.kind === 'rows' && hook === undefined) return;
  const rows = rowInputs(input);
  if (hook !== undefined) {
    const key = tableKey(table.name);
    const shown = tables.get(key) ?? { hook, rows: [] };
    tables.set(key, shown);
    shown.rows.push(...rows.map((row) => rowJson(row, variables)));
  }
  for (const row of rows) {
    for (const { field, value } of row.fields) {
      const meaning = field.meaning.kind === 'mutation' ? field.meaning.mutation : undefined;
      if (meaning?.kind === 'related-insert' && value.kind === 'object')
        collectRows(meaning.view, value.fields, variables, tables);
    }
  }
}

/** A row by the names of the database. */
function rowJson(row: ObjectInput, variables: Variables): Record<string, unknown> {
  const written = row.fields.flatMap(({ field, value }): [string, unknown][] => {
    if (field.meaning.kind === 'column') return [[field.meaning.column.name, valueJson(value, variables)]];
    const meaning = field.meaning.kind === 'mutation' ? field.meaning.mutation : undefined;
    if (meaning?.kind !== 'related-insert' || value.kind !== 'object') return [];
    const rows = rowInputs(findInput(value.fields, 'rows')).map((inner) => rowJson(inner, variables));
    const { relationship } = meaning;
    return [[relationship.name, { data: relationship.kind === 'array' ? rows : rows[0] }]];
  });
  return Object.fromEntries(written);
}

function valueJson(value: Input, variables: Variables): unknown {
  if (value.kind !== 'param') return null;
  const { param, raw } = value;
  if (param.from === 'variable') variables.depend(param.name);
  const given = toJson(raw, variables);
  if (value.type.kind !== 'enum' || value.pgType.kind === 'array') return given;
  // The value of the enum table, not its name in GraphQL.
  return param.from === 'variable' ? param.encode(given) : param.from === 'value' ? param.value : given;
}
