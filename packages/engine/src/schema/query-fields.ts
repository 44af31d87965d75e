/** The root fields that read: of tables, and of functions that return a table's rows. */

import { custom } from '#ir/naming.ts';
import type { OutputField } from '#ir/schema.ts';
import type { RootFieldKind, RootFunction, Table, TableView } from '#ir/tracked.ts';
import { displayName } from '#postgres/catalog.ts';
import { functionArguments, rootArguments, tableArguments } from './arguments.ts';
import { argumentsOf, type Builder, mandatory, nullable, required, requiredList } from './builder.ts';
import { columnRef } from './column-types.ts';
import {
  aggregateDescription,
  aggregateName,
  rootFieldDescription,
  rootFieldName,
  selectDescription,
  selectName,
} from './root-field.ts';
import { aggregateType, rowType } from './row-type.ts';
import { sharedDescription } from './shared-description.ts';
import { streamField } from './stream.ts';

function selectField(builder: Builder, view: TableView): OutputField {
  const { table } = view;
  return {
    name: selectName(builder, table),
    get description() {
      return sharedDescription(builder, table, 'select', this.name, selectDescription(table));
    },
    get arguments() {
      return rootArguments(builder, view);
    },
    type: requiredList(rowType(builder, view)),
    meaning: { kind: 'select', view },
  };
}

function selectByPkField(builder: Builder, view: TableView): OutputField | undefined {
  const { table, access } = view;
  if (table.primaryKey?.every((column) => access.columns.has(column.name)) !== true) return undefined;
  const key = table.primaryKey;
  return {
    name: rootFieldName(builder, table, 'select_by_pk', (name) => builder.names.field(name, 'by_pk')),
    description: rootFieldDescription(
      table,
      'select_by_pk',
      `fetch data from the table: "${displayName(table.name)}" using primary key columns`,
    ),
    arguments: argumentsOf(
      ...key.map((column) =>
        mandatory(
          column.field,
          columnRef(builder, column, column.nullable),
          { kind: 'column', column },
          column.description,
        ),
      ),
    ),
    type: nullable(rowType(builder, view)),
    meaning: { kind: 'select-by-pk', view },
  };
}

function selectAggregateField(builder: Builder, view: TableView): OutputField | undefined {
  const { table, access } = view;
  if (!access.aggregations) return undefined;
  return {
    name: aggregateName(builder, table),
    get description() {
      return sharedDescription(builder, table, 'select_aggregate', this.name, aggregateDescription(table));
    },
    get arguments() {
      return rootArguments(builder, view);
    },
    type: required(aggregateType(builder, view)),
    meaning: { kind: 'select-aggregate', view },
  };
}

/** A table's fields of the query root, or of the subscription root. */
export function tableFields(builder: Builder, table: Table, root: 'query' | 'subscription'): OutputField[] {
  const view = builder.view(table.name);
  if (view === undefined) return [];
  const allowed = root === 'query' ? view.access.queryRootFields : view.access.subscriptionRootFields;
  const has = (kind: RootFieldKind) => allowed?.has(kind) ?? true;
  return [
    ...(has('select') ? [selectField(builder, view)] : []),
    ...(has('select_by_pk') ? [selectByPkField(builder, view)] : []),
    ...(has('select_aggregate') ? [selectAggregateField(builder, view)] : []),
    ...(root === 'subscription' && has('select_stream') && builder.options.streamFields
      ? [streamField(builder, view)]
      : []),
  ].filter((field) => field !== undefined);
}

/** A function's fields, where the role may call it and read what it returns. */
export function functionFields(builder: Builder, fn: RootFunction): OutputField[] {
  const view = builder.view(fn.returns);
  if (view === undefined || !fn.allows(builder.role)) return [];
  const name = displayName(fn.function.name);
  const returns = displayName(fn.returns);
  const isMutation = fn.exposedAs === 'mutation';
  const inputs = (fieldName: string) =>
    functionArguments(
      builder,
      fn.function,
      builder.names.type(custom(fn.argumentsTypeName)),
      `input parameters for function "${fieldName}"`,
    );
  const row = rowType(builder, view);
  const fields: OutputField[] = [
    {
      name: builder.names.rootField(fn.fieldName),
      description: isMutation
        ? `execute VOLATILE function "${name}" which returns "${returns}"`
        : (fn.comment ?? `execute function "${name}" which returns "${returns}"`),
      get arguments() {
        return argumentsOf(...inputs(fn.fieldName), ...tableArguments(builder, view));
      },
      type: fn.function.catalog.returnsSet ? requiredList(row) : nullable(row),
      meaning: { kind: 'function', function: fn, view, aggregate: false },
    },
  ];
  if (!isMutation && view.access.aggregations)
    fields.push({
      name: builder.names.rootField(fn.aggregateFieldName),
      description: `execute function "${name}" and query aggregates on result of table type "${returns}"`,
      get arguments() {
        return argumentsOf(...inputs(fn.aggregateFieldName), ...tableArguments(builder, view));
      },
      type: required(aggregateType(builder, view)),
      meaning: { kind: 'function', function: fn, view, aggregate: true },
    });
  return fields;
}
