/** `select` and `count` of the old query API. */

import { at, type Path } from '#ir/path.ts';
import { ALWAYS, all } from '#ir/predicate.ts';
import type { AggregateNode, OrderItem, OrderKey, RowField, RowsNode, Select } from '#ir/select.ts';
import { allRows } from '#ir/select.ts';
import type { Relationship } from '#ir/tracked.ts';
import type { DmlCount, DmlOrderItem, DmlSelect, DmlSelectPart } from './arguments.ts';
import {
  argumentPath,
  columnField,
  type DmlContext,
  dmlError,
  dmlTable,
  quote,
  relatedAccess,
  requireAccess,
  visibleColumn,
} from './lookup.ts';
import { type DmlView, planDmlWhere } from './where.ts';

export function planDmlSelect(context: DmlContext, args: DmlSelect): RowsNode {
  const table = dmlTable(context, args.table, argumentPath('table'));
  const access = requireAccess(table.selectAccess(context.role), 'select', table, context);
  return planRows(context, { table, access }, args, undefined);
}

function planRows(context: DmlContext, view: DmlView, args: DmlSelectPart, path: Path | undefined): RowsNode {
  const fields = planColumns(context, view, args.columns, at(path, 'columns'));
  return { select: planSelection(context, view, args, path), fields };
}

function planSelection(
  context: DmlContext,
  view: DmlView,
  args: DmlSelectPart,
  path: Path | undefined,
): Select {
  const { access, table } = view;
  const where =
    args.where === undefined ? ALWAYS : planDmlWhere(context, view, args.where, at(path, 'where'));
  const orderBy = (args.order_by ?? []).map((item, index) =>
    planOrderItem(context, view, item, at(path, 'order_by', index)),
  );
  for (const name of ['limit', 'offset'] as const) {
    const count = args[name];
    if (count !== undefined && count < 0)
      throw dmlError('not-supported', 'unexpected negative value', at(path, name));
  }
  return {
    from: { kind: 'table', table: table.name },
    where: all([access.filter, where]),
    distinctOn: [],
    orderBy,
    limit: number(args.limit),
    maximum: access.limit,
    offset: number(args.offset),
  };
}

function number(count: number | undefined): Select['limit'] {
  return count === undefined ? undefined : { from: 'value', value: String(count) };
}

/** Named columns come first, then those that a wildcard adds. */
function planColumns(
  context: DmlContext,
  view: DmlView,
  columns: DmlSelectPart['columns'],
  path: Path | undefined,
): readonly RowField[] {
  const named: RowField[] = [];
  let depth = 0;
  for (const [index, column] of columns.entries()) {
    const here = at(path, index);
    if (typeof column !== 'string') named.push(planRelated(context, view, column, here));
    else if (/^\*(\.\*)*$/.test(column)) depth = Math.max(depth, column.split('.').length);
    else named.push(planColumn(context, view, column, here));
  }
  const taken = new Set(named.map(({ alias }) => alias));
  return [...named, ...wildcard(context, view, depth).filter(({ alias }) => !taken.has(alias))];
}

function planColumn(context: DmlContext, view: DmlView, name: string, path: Path | undefined): RowField {
  const { table, access } = view;
  if (table.relationships.has(name))
    throw dmlError('unexpected-payload', 'relationships have to be expanded', path);
  return columnField(visibleColumn(context, table, access.columns, name, path), access);
}

/** `*` is all columns, `*.*` the related rows' as well, and so on. */
function wildcard(context: DmlContext, view: DmlView, depth: number): readonly RowField[] {
  if (depth === 0) return [];
  const { table, access } = view;
  const columns = table.columns
    .filter(({ name }) => access.columns.has(name))
    .map((column) => columnField(column, access));
  if (depth === 1) return columns;
  const related = [...table.relationships.values()].flatMap((relationship) => {
    const target = dmlTable(context, relationship.target, undefined);
    const inner = target.selectAccess(context.role);
    if (inner === undefined) return [];
    const next: DmlView = { table: target, access: inner };
    const rows: RowsNode = {
      select: planSelection(context, next, { columns: [] }, undefined),
      fields: wildcard(context, next, depth - 1),
    };
    return relatedField(relationship, relationship.name, rows);
  });
  return [...columns, ...related];
}

type Related = Exclude<DmlSelectPart['columns'][number], string>;

function planRelated(context: DmlContext, view: DmlView, args: Related, path: Path | undefined): RowField {
  const relationship = view.table.relationships.get(args.name);
  if (relationship === undefined) {
    if (view.table.columnByName.has(args.name))
      throw dmlError('unexpected-payload', 'only relationships can be expanded', at(path, 'name'));
    throw dmlError('not-exists', `${quote(args.name)} does not exist`, at(path, 'name'));
  }
  const target = dmlTable(context, relationship.target, path);
  const access = relatedAccess(context, args.name, target, path);
  const rows = planRows(context, { table: target, access }, args, path);
  const isNarrowed = [args.where, args.order_by, args.limit, args.offset].some((part) => part !== undefined);
  if (relationship.kind === 'object' && isNarrowed) {
    throw dmlError(
      'unexpected-payload',
      "when selecting an 'obj_relationship' 'where', 'order_by', 'limit' and 'offset'  can't be used",
      path,
    );
  }
  return relatedField(relationship, args.alias ?? args.name, rows);
}

function relatedField({ kind, mapping }: Relationship, alias: string, rows: RowsNode): RowField {
  if (kind === 'array') return { alias, value: { kind, join: mapping, rows } };
  const { select, fields } = rows;
  return { alias, value: { kind, join: mapping, rows: { select: { ...select, maximum: 1 }, fields } } };
}

function planOrderItem(
  context: DmlContext,
  view: DmlView,
  item: DmlOrderItem,
  path: Path | undefined,
): OrderItem {
  return {
    by: planOrderKey(context, view, item.column.split('.'), path),
    direction: item.type === 'desc' ? 'DESC' : 'ASC',
    nulls: item.nulls === 'first' || (item.nulls === undefined && item.type === 'desc') ? 'FIRST' : 'LAST',
  };
}

function planOrderKey(
  context: DmlContext,
  view: DmlView,
  [name = '', ...rest]: readonly string[],
  path: Path | undefined,
): OrderKey {
  const { table, access } = view;
  const relationship = table.relationships.get(name);
  if (relationship === undefined) {
    if (!table.columnByName.has(name)) throw dmlError('not-exists', `${quote(name)} does not exist`, path);
    if (rest.length > 0)
      throw dmlError(
        'unexpected-payload',
        `${quote(name)} is a Postgres column and cannot be chained further`,
        path,
      );
    visibleColumn(context, table, access.columns, name, path);
    return { kind: 'operand', operand: { kind: 'column', column: name, visible: access.columns.get(name) } };
  }
  if (rest.length === 0)
    throw dmlError('unexpected-payload', `${quote(name)} is a relationship and should be expanded`, path);
  if (relationship.kind === 'array')
    throw dmlError(
      'unexpected-payload',
      `${quote(name)} is an array relationship and can't be used in 'order_by'`,
      path,
    );
  const target = dmlTable(context, relationship.target, path);
  const inner: DmlView = { table: target, access: relatedAccess(context, name, target, path) };
  return {
    kind: 'related',
    target: relationship.target,
    mapping: relationship.mapping,
    permission: inner.access.filter,
    by: planOrderKey(context, inner, rest, path),
  };
}

const COUNT_NEEDS_SELECT = '; "count" is only allowed if the role has "select" permissions on the table';

/** `{count}`: of rows, or of distinct combinations of columns. */
export function planDmlCount(context: DmlContext, args: DmlCount): AggregateNode {
  const table = dmlTable(context, args.table, undefined);
  const access = requireAccess(
    table.selectAccess(context.role),
    'select',
    table,
    context,
    COUNT_NEEDS_SELECT,
  );
  const view: DmlView = { table, access };
  const distinct = args.distinct?.map((name, index) => {
    visibleColumn(context, table, access.columns, name, argumentPath('distinct', index));
    return { kind: 'column', column: name, visible: access.columns.get(name) } as const;
  });
  const where =
    args.where === undefined ? ALWAYS : planDmlWhere(context, view, args.where, argumentPath('where'));
  return {
    select: allRows({ kind: 'table', table: table.name }, all([access.filter, where])),
    fields: [
      {
        alias: 'result',
        value: {
          kind: 'aggregate',
          fields: [
            {
              alias: 'count',
              value: { kind: 'count', distinct: distinct !== undefined, operands: distinct },
            },
          ],
        },
      },
    ],
  };
}
