/** The object type of a table's rows, and of aggregates over them. */

import { BOOLEAN_SCALAR, INT_SCALAR, STRING_SCALAR } from '#ir/scalars.ts';
import type { ObjectType, OutputField, OutputMeaning, TypeRef } from '#ir/schema.ts';
import type {
  Column,
  ComputedField,
  Relationship,
  RemoteRelationship,
  RemoteSelection,
  TableView,
} from '#ir/tracked.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { baseType, isComparable, isJson, isNumeric } from '#postgres/pg-type.ts';
import { functionArguments, rootArguments } from './arguments.ts';
import {
  ARGUMENT,
  argumentsOf,
  type Builder,
  NO_ARGUMENTS,
  nullable,
  nullableList,
  objectType,
  optional,
  required,
  requiredList,
} from './builder.ts';
import { columnRef, columnScalar } from './column-types.ts';
import { columnEnum, visibleColumns } from './columns.ts';
import { aggregateColumns, COMPARISON_AGGREGATES, NUMERIC_AGGREGATES } from './order-by.ts';
import { AGGREGATE_RELATIONSHIP, ARRAY_RELATIONSHIP, sharedDescription } from './shared-description.ts';

export function rowType(builder: Builder, view: TableView): ObjectType {
  const { table } = view;
  return builder.once(`row ${tableKey(table.name)}`, () =>
    objectType(builder.names.type(table.identifier), table.description, () => [
      ...visibleColumns(view).map((column) => columnField(builder, view, column)),
      ...[...table.relationships.values()].flatMap((relationship) =>
        relationshipFields(builder, view, relationship),
      ),
      ...[...table.computedFields.values()].flatMap((field) => computedField(builder, view, field) ?? []),
      ...[...table.remoteRelationships.values()].flatMap((relationship) =>
        remoteFields(builder.elsewhere(relationship.source), relationship, (selects, target) => ({
          kind: 'remote-relationship',
          relationship,
          selects,
          view: target,
        })),
      ),
    ]),
  );
}

const PATH_ARGUMENT = argumentsOf(optional('path', required(STRING_SCALAR), ARGUMENT, 'JSON select path'));

function columnField(builder: Builder, view: TableView, column: Column): OutputField {
  const isNullable = column.nullable || view.access.columns.get(column.name) !== undefined;
  return {
    name: column.field,
    description: column.description,
    arguments: isJson(column.type) ? PATH_ARGUMENT : NO_ARGUMENTS,
    type: columnRef(builder, column, isNullable),
    meaning: { kind: 'column', column, view },
  };
}

function relationshipFields(builder: Builder, from: TableView, relationship: Relationship): OutputField[] {
  const view = builder.view(relationship.target);
  if (view === undefined) return [];
  if (relationship.kind === 'object')
    return [
      {
        name: relationship.name,
        description: 'An object relationship',
        arguments: NO_ARGUMENTS,
        type: { kind: 'named', type: rowType(builder, view), nullable: relationship.nullable },
        meaning: { kind: 'relationship', relationship, from, view },
      },
    ];
  const fields: OutputField[] = [
    {
      name: relationship.name,
      get description() {
        return sharedDescription(builder, view.table, 'select', this.name, ARRAY_RELATIONSHIP);
      },
      get arguments() {
        return rootArguments(builder, view);
      },
      type: requiredList(rowType(builder, view)),
      meaning: { kind: 'relationship', relationship, from, view },
    },
  ];
  if (view.access.aggregations)
    fields.push({
      name: builder.names.fieldCase(`${relationship.name}_aggregate`),
      get description() {
        return sharedDescription(builder, view.table, 'select_aggregate', this.name, AGGREGATE_RELATIONSHIP);
      },
      get arguments() {
        return rootArguments(builder, view);
      },
      type: required(aggregateType(builder, view)),
      meaning: { kind: 'relationship-aggregate', relationship, from, view },
    });
  return fields;
}

function computedField(builder: Builder, view: TableView, field: ComputedField): OutputField | undefined {
  const { table } = view;
  const inputs = functionArguments(
    builder,
    field.function,
    builder.names.type([{ text: field.name, custom: false }], table.identifier, 'args'),
    `input parameters for computed field "${field.name}" defined on table "${displayName(table.name)}"`,
  );
  if (field.returns.kind === 'scalar') {
    if (!view.access.computedFields.has(field.name)) return undefined;
    const { type } = field.returns;
    return {
      name: field.name,
      description: field.description,
      arguments: argumentsOf(...inputs, ...(isJson(type) ? PATH_ARGUMENT.values() : [])),
      type: nullable(columnScalar(builder, type)),
      meaning: { kind: 'computed-scalar', field, type, view },
    };
  }
  const remote = builder.view(field.returns.table);
  if (remote === undefined) return undefined;
  return {
    name: field.name,
    description: field.description,
    get arguments() {
      return argumentsOf(...inputs, ...rootArguments(builder, remote).values());
    },
    type: nullableList(rowType(builder, remote)),
    meaning: { kind: 'computed-table', field, view: remote },
  };
}

/**
 * The fields of a relationship to another source, named and typed as that source's customization says.
 * The role needs no permission for what the join is over here.
 *
 * @param there the other source's builder
 */
export function remoteFields(
  there: Builder | undefined,
  { name, kind, target }: Pick<RemoteRelationship, 'name' | 'kind' | 'target'>,
  means: (selects: RemoteSelection, view: TableView) => OutputMeaning,
): OutputField[] {
  const view = there?.view(target);
  if (there === undefined || view === undefined) return [];
  const field = (fieldName: string, type: TypeRef, selects: RemoteSelection): OutputField => ({
    name: fieldName,
    description: undefined,
    get arguments() {
      return selects === 'object' ? NO_ARGUMENTS : rootArguments(there, view);
    },
    type,
    meaning: means(selects, view),
  });
  const row = rowType(there, view);
  if (kind === 'object') return [field(name, nullable(row), 'object')];
  const rows = field(name, requiredList(row), 'array');
  if (!view.access.aggregations) return [rows];
  const aggregate = required(aggregateType(there, view));
  return [rows, field(there.names.fieldCase(`${name}_aggregate`), aggregate, 'aggregate')];
}

/** `users_aggregate`; `description` is missing where a function returns the rows, as in Hasura. */
export function aggregateType(builder: Builder, view: TableView): ObjectType {
  const { table } = view;
  return builder.once(`aggregate ${tableKey(table.name)}`, () =>
    objectType(
      builder.names.type(table.identifier, 'aggregate'),
      `aggregated selection of "${displayName(table.name)}"`,
      () => [
        {
          name: 'nodes',
          description: undefined,
          arguments: NO_ARGUMENTS,
          type: requiredList(rowType(builder, view)),
          meaning: { kind: 'nodes', view },
        },
        {
          name: 'aggregate',
          description: undefined,
          arguments: NO_ARGUMENTS,
          type: nullable(aggregateFieldsType(builder, view)),
          meaning: { kind: 'aggregate' },
        },
      ],
    ),
  );
}

function aggregateFieldsType(builder: Builder, view: TableView): ObjectType {
  const { names } = builder;
  const { identifier, name } = view.table;
  return objectType(
    names.type(identifier, 'aggregate_fields'),
    `aggregate fields of "${displayName(name)}"`,
    () => {
      const columns = columnEnum(builder, view);
      const count: OutputField = {
        name: 'count',
        description: undefined,
        arguments: argumentsOf(
          ...(columns === undefined ? [] : [optional('columns', requiredList(columns), ARGUMENT)]),
          optional('distinct', required(BOOLEAN_SCALAR), ARGUMENT),
        ),
        type: required(INT_SCALAR),
        meaning: { kind: 'count' },
      };
      const operators = [...NUMERIC_AGGREGATES, ...COMPARISON_AGGREGATES].flatMap(
        (operator): OutputField[] => {
          const fields = operatorFields(builder, view, operator);
          if (fields.length === 0) return [];
          const operatorName = names.field(operator);
          return [
            {
              name: operatorName,
              description: undefined,
              arguments: NO_ARGUMENTS,
              type: nullable(
                objectType(
                  names.type(identifier, operator, 'fields'),
                  `aggregate ${operatorName} on columns`,
                  () => fields,
                ),
              ),
              meaning: { kind: 'aggregate-operator', operator },
            },
          ];
        },
      );
      return [count, ...operators];
    },
  );
}

const FLOAT_AGGREGATES: ReadonlySet<string> = new Set(NUMERIC_AGGREGATES.filter((name) => name !== 'sum'));

function operatorFields(builder: Builder, view: TableView, operator: string): OutputField[] {
  const floatType = nullable(columnScalar(builder, baseType('real')));
  const typeOf = (column: Column): TypeRef =>
    FLOAT_AGGREGATES.has(operator) ? floatType : columnRef(builder, column, true);
  const columns = aggregateColumns(view, operator).map(
    (column): OutputField => ({
      name: column.field,
      description: column.description,
      arguments: NO_ARGUMENTS,
      type: typeOf(column),
      meaning: { kind: 'column', column, view },
    }),
  );
  const applies = COMPARISON_AGGREGATES.some((name) => name === operator) ? isComparable : isNumeric;
  const computed = [...view.table.computedFields.values()].flatMap((field) =>
    field.returns.kind === 'scalar' && applies(field.returns.type)
      ? (computedField(builder, view, field) ?? [])
      : [],
  );
  return [...columns, ...computed];
}
