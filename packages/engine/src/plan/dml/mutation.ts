/** `insert`, `update` and `delete` of the old query API. */

import type {
  Assignment,
  ConflictRule,
  DeleteMutation,
  InsertMutation,
  MutationOutput,
  UpdateItem,
  UpdateMutation,
  UpdateOperator,
} from '#ir/mutation.ts';
import { at, type Path } from '#ir/path.ts';
import type { Param } from '#ir/predicate.ts';
import { ALWAYS, all } from '#ir/predicate.ts';
import type { Column, SelectAccess, Table } from '#ir/tracked.ts';
import { presetAssignment, target } from '#plan/mutation-insert.ts';
import { displayName } from '#postgres/catalog.ts';
import { readColumnValue } from '#values/column-reader.ts';
import { isNumber } from '#values/number.ts';
import { ScalarError } from '#values/scalar.ts';
import type { DmlDelete, DmlInsert, DmlUpdate } from './arguments.ts';
import {
  argumentPath,
  columnList,
  type DmlContext,
  dmlError,
  dmlTable,
  quote,
  requireAccess,
  visibleColumn,
} from './lookup.ts';
import { planDmlWhere } from './where.ts';

const RETURNING_NEEDS_SELECT =
  '; "returning" can only be used if the role has "select" permission on the table';
const whereNeedsSelect = (command: string) =>
  `; "${command}" is only allowed if the role has "select" permission as "where" can't be used without "select" permission on the table`;

export function planDmlInsert(context: DmlContext, args: DmlInsert): InsertMutation {
  const table = dmlTable(context, args.table, undefined);
  if (args.objects.length === 0)
    throw dmlError('unexpected-payload', 'objects should not be empty', argumentPath('objects'));
  checkWritable(table, 'insert', 'insertable');
  const access = requireAccess(table.insertAccess(context.role), 'insert', table, context);
  const output = planOutput(context, table, args.returning, () =>
    requireAccess(table.selectAccess(context.role), 'select', table, context, RETURNING_NEEDS_SELECT),
  );
  const preset = new Set(access.presets.map(({ column }) => column));
  const rows = args.objects.map((object, index) => ({
    values: Object.entries(object).map(([name, value]): Assignment => {
      const here = argumentPath('objects', index);
      const column = existingColumn(table, name, "relationships can't be inserted", at(here, name));
      if (preset.has(name)) throw notAllowed('insertable', name, context, '', here);
      return { name, type: column.type, param: readParam(column, value, at(here, name)) };
    }),
    related: [],
  }));
  const given = new Set(rows.flatMap(({ values }) => values.map(({ name }) => name)));
  return {
    kind: 'insert',
    insert: {
      ...target(table),
      rows,
      presets: access.presets.map(presetAssignment),
      check: access.check,
      updateCheck: table.updateAccess(context.role)?.check,
      conflict:
        args.on_conflict === undefined ? undefined : planConflict(context, table, args.on_conflict, given),
      at: undefined,
      isList: true,
    },
    output,
  };
}

function planConflict(
  context: DmlContext,
  table: Table,
  conflict: NonNullable<DmlInsert['on_conflict']>,
  given: ReadonlySet<string>,
): ConflictRule {
  const path = argumentPath('on_conflict');
  const access = table.updateAccess(context.role);
  if (access === undefined) {
    throw dmlError(
      'permission-denied',
      `upsert is not allowed for role ${quote(context.role)} since update permissions are not defined`,
      path,
    );
  }
  const { constraint, constraint_on: columns, action } = conflict;
  if (constraint !== undefined && columns !== undefined)
    throw dmlError('unexpected-payload', "'constraint' and 'constraint_on' cannot be set at a time", path);
  columns?.forEach((name, index) => {
    existingColumn(table, name, '', at(path, 'constraint_on', index));
  });
  if (constraint !== undefined) checkConstraint(table, constraint, at(path, 'constraint'));
  const rule = {
    target: constraint !== undefined ? { constraint } : columns === undefined ? undefined : { columns },
    presets: access.presets.map(presetAssignment),
    where: access.filter,
  };
  if (action === 'ignore') return { ...rule, update: [] };
  if (rule.target === undefined) {
    throw dmlError(
      'unexpected-payload',
      "Expecting 'constraint' or 'constraint_on' when the 'action' is 'update'",
      path,
    );
  }
  for (const name of given) {
    if (!access.columns.has(name))
      throw dmlError('validation-failed', `column ${quote(name)} is not updatable`, path);
  }
  return { ...rule, update: [...given] };
}

function checkConstraint(table: Table, name: string, path: Path | undefined): void {
  const { primaryKey, uniqueConstraints } = table.catalog;
  if (primaryKey?.name === name || uniqueConstraints.some((constraint) => constraint.name === name)) return;
  const message = `constraint ${quote(name)} for table ${quote(displayName(table.name))} does not exist`;
  throw dmlError('unexpected', message, path);
}

export function planDmlUpdate(context: DmlContext, args: DmlUpdate): UpdateMutation {
  const table = dmlTable(context, args.table, argumentPath('table'));
  checkWritable(table, 'update', 'updatable');
  const access = requireAccess(table.updateAccess(context.role), 'update', table, context);
  const select = requireAccess(
    table.selectAccess(context.role),
    'select',
    table,
    context,
    whereNeedsSelect('update'),
  );
  const preset = new Set(access.presets.map(({ column }) => column));
  const items = (
    operator: UpdateOperator,
    name: string,
    given: Readonly<Record<string, unknown>> | undefined,
  ) =>
    Object.entries(given ?? {}).map(([columnName, value]): UpdateItem => {
      const path = argumentPath(name);
      if (preset.has(columnName))
        throw notAllowed('updatable', columnName, context, '; its value is predefined in permission', path);
      const column = visibleColumn(context, table, access.columns, columnName, path, 'update');
      const params = operator === 'default' ? [] : [readParam(column, value, at(path, columnName))];
      return { name: columnName, type: column.type, operator, params };
    });
  const set: UpdateItem[] = [
    ...access.presets.map(
      (one): UpdateItem => ({ ...presetAssignment(one), operator: 'set', params: [one.param] }),
    ),
    ...items('set', '$set', args.$set ?? args.values),
    ...items('inc', '$inc', args.$inc),
    ...items('mul', '$mul', args.$mul),
    ...items('default', '$default', Object.fromEntries((args.$default ?? []).map((name) => [name, null]))),
  ];
  const output = planOutput(context, table, args.returning, () => select);
  if (set.length === 0)
    throw dmlError('unexpected-payload', 'atleast one of $set, $inc, $mul has to be present', undefined);
  const where = planDmlWhere(context, { table, access: select }, args.where, argumentPath('where'));
  return {
    kind: 'update',
    ...target(table),
    batches: [{ set, where: all([access.filter, where]) }],
    many: false,
    check: access.check ?? ALWAYS,
    output,
  };
}

export function planDmlDelete(context: DmlContext, args: DmlDelete): DeleteMutation {
  const table = dmlTable(context, args.table, undefined);
  checkWritable(table, 'delete', 'deletable');
  const access = requireAccess(table.deleteAccess(context.role), 'delete', table, context);
  const select = requireAccess(
    table.selectAccess(context.role),
    'select',
    table,
    context,
    whereNeedsSelect('delete'),
  );
  const output = planOutput(context, table, args.returning, () => select);
  const where = planDmlWhere(context, { table, access: select }, args.where, argumentPath('where'));
  return { kind: 'delete', ...target(table), where: all([access.filter, where]), output };
}

function checkWritable(table: Table, operation: 'insert' | 'update' | 'delete', word: string): void {
  if (table.catalog.writable[operation]) return;
  throw dmlError('not-supported', `view ${quote(displayName(table.name))} is not ${word}`, undefined);
}

function existingColumn(table: Table, name: string, ofRelationship: string, path: Path | undefined): Column {
  const column = table.columnByName.get(name);
  if (column !== undefined) return column;
  if (table.relationships.has(name)) throw dmlError('unexpected-payload', ofRelationship, path);
  throw dmlError('not-exists', `column ${quote(name)} does not exist`, path);
}

function notAllowed(
  word: string,
  column: string,
  { role }: DmlContext,
  reason: string,
  path: Path | undefined,
) {
  return dmlError(
    'not-supported',
    `column ${quote(column)} is not ${word} for role ${quote(role)}${reason}`,
    path,
  );
}

function readParam({ type }: Column, value: unknown, path: Path | undefined): Param {
  if (value === null || value === undefined) return { from: 'value', value: null };
  try {
    const text = readColumnValue(type, value);
    return { from: 'value', value: type.name === 'numeric' && isNumber(value) ? inFours(text) : text };
  } catch (error) {
    throw error instanceof ScalarError ? dmlError(error.code, error.message, path) : error;
  }
}

/** These commands send numbers in PostgreSQL's binary form, which keeps the fraction in groups of four digits. */
function inFours(text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  if (fraction.includes('e')) return text;
  const digits = fraction === '0' ? '' : fraction;
  return digits === '' ? whole : `${whole}.${digits.padEnd(Math.ceil(digits.length / 4) * 4, '0')}`;
}

/** `returning` comes before `affected_rows`, as in Hasura. */
function planOutput(
  context: DmlContext,
  table: Table,
  returning: readonly string[] | undefined,
  select: () => SelectAccess,
): MutationOutput {
  const affectedRows = { alias: 'affected_rows', value: { kind: 'affected-rows' } } as const;
  if (returning === undefined) return { kind: 'response', fields: [affectedRows] };
  const fields = columnList(context, table, select(), returning, () => argumentPath('returning'));
  return {
    kind: 'response',
    fields: [{ alias: 'returning', value: { kind: 'returning', fields } }, affectedRows],
  };
}
