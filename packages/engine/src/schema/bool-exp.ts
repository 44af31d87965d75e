/** `users_bool_exp`: the conditions that `where` takes. */

import { custom } from '#ir/naming.ts';
import { BOOLEAN_SCALAR } from '#ir/scalars.ts';
import type { InputField, InputObjectType } from '#ir/schema.ts';
import type { Relationship, TableView } from '#ir/tracked.ts';
import type { PgType } from '#postgres/catalog.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { BOOLEAN, DOUBLE, INTEGER } from '#postgres/pg-type.ts';
import { ARGUMENT, type Builder, inputType, mandatory, optional, required, requiredList } from './builder.ts';
import { columnEnum, columnOperand, enumOfColumns, visibleColumns } from './columns.ts';
import { comparisonType } from './comparison.ts';

export function boolExpType(builder: Builder, view: TableView): InputObjectType {
  const { table } = view;
  return builder.once(`bool_exp ${tableKey(table.name)}`, () => {
    const type = inputType(
      builder.names.type(table.identifier, 'bool_exp'),
      `Boolean expression to filter rows from the table "${displayName(table.name)}". All fields are combined with a logical 'AND'.`,
      () => [
        optional('_or', requiredList(type), { kind: 'or' }),
        optional('_and', requiredList(type), { kind: 'and' }),
        optional('_not', required(type), { kind: 'not' }),
        ...columnFields(builder, view),
        ...relationshipFields(builder, view),
        ...computedFields(builder, view),
      ],
    );
    return type;
  });
}

function columnFields(builder: Builder, view: TableView): InputField[] {
  return visibleColumns(view).map((column) =>
    optional(column.field, required(comparisonType(builder, column.type, column)), {
      kind: 'operand',
      operand: columnOperand(view, column),
    }),
  );
}

function relationshipFields(builder: Builder, view: TableView): InputField[] {
  const fields: InputField[] = [];
  for (const relationship of view.table.relationships.values()) {
    const remote = builder.view(relationship.target);
    if (remote === undefined) continue;
    fields.push(
      optional(relationship.name, required(boolExpType(builder, remote)), {
        kind: 'relationship',
        relationship,
        view: remote,
      }),
    );
    const isAggregated = remote.access.aggregations && builder.options.aggregationPredicates;
    if (relationship.kind === 'array' && isAggregated)
      fields.push(...aggregateField(builder, relationship, remote));
  }
  return fields;
}

/** Computed fields without arguments of the client's: a scalar, or the rows it returns. */
function computedFields(builder: Builder, view: TableView): InputField[] {
  const fields: InputField[] = [];
  for (const field of view.table.computedFields.values()) {
    if (field.function.inputs.length > 0) continue;
    if (field.returns.kind === 'scalar') {
      if (!view.access.computedFields.has(field.name)) continue;
      fields.push(
        optional(field.name, required(comparisonType(builder, field.returns.type)), {
          kind: 'operand',
          operand: {
            kind: 'computed',
            function: field.function,
            visible: view.access.computedFields.get(field.name),
          },
        }),
      );
      continue;
    }
    const remote = builder.view(field.returns.table);
    if (remote === undefined) continue;
    fields.push(
      optional(field.name, required(boolExpType(builder, remote)), {
        kind: 'computed-table',
        field,
        view: remote,
      }),
    );
  }
  return fields;
}

interface AggregateFunction {
  readonly name: string;
  readonly returns: PgType;
  /** Types of its arguments by name; undefined takes any columns, or none. */
  readonly argument: PgType | readonly string[] | undefined;
}

const AGGREGATES: readonly AggregateFunction[] = [
  { name: 'avg', returns: DOUBLE, argument: DOUBLE },
  { name: 'bool_and', returns: BOOLEAN, argument: BOOLEAN },
  { name: 'bool_or', returns: BOOLEAN, argument: BOOLEAN },
  { name: 'count', returns: INTEGER, argument: undefined },
  { name: 'max', returns: DOUBLE, argument: DOUBLE },
  { name: 'min', returns: DOUBLE, argument: DOUBLE },
  { name: 'sum', returns: DOUBLE, argument: DOUBLE },
  { name: 'corr', returns: DOUBLE, argument: ['Y', 'X'] },
  { name: 'covar_samp', returns: DOUBLE, argument: ['Y', 'X'] },
  { name: 'stddev_samp', returns: DOUBLE, argument: DOUBLE },
  { name: 'var_samp', returns: DOUBLE, argument: DOUBLE },
];

/** `posts_aggregate: {count: {predicate: {_gt: 1}}}`. */
function aggregateField(builder: Builder, relationship: Relationship, view: TableView): InputField[] {
  const { names } = builder;
  const type = builder.once(`aggregate_bool_exp ${tableKey(view.table.name)}`, () => {
    const functions = AGGREGATES.flatMap((fn) => aggregateFunction(builder, fn, view));
    // Hasura gives these types no prefix or suffix of the source.
    return inputType(
      names.plainType(view.table.identifier, 'aggregate_bool_exp'),
      undefined,
      () => functions,
    );
  });
  return [
    optional(names.field(custom(relationship.name), 'aggregate'), required(type), {
      kind: 'relationship-aggregate',
      relationship,
      view,
    }),
  ];
}

function aggregateFunction(builder: Builder, fn: AggregateFunction, view: TableView): InputField[] {
  const { names } = builder;
  const { identifier, name } = view.table;
  const ofType = (type: PgType) => {
    const columns = visibleColumns(view).filter(
      (column) => column.enum === undefined && column.type.name === type.name,
    );
    if (columns.length === 0) return undefined;
    const predicate = [
      ...identifier,
      ...generatedWords('aggregate_bool_exp'),
      ...custom(fn.name),
      ...generatedWords('arguments_columns'),
    ];
    const typeName = names.type(identifier, 'select_column', predicate);
    return enumOfColumns(
      typeName,
      `select "${names.field(predicate)}" columns of table "${displayName(name)}"`,
      view,
      columns,
    );
  };
  const argument = (): InputField | undefined => {
    if (fn.argument === undefined) {
      const columns = columnEnum(builder, view);
      return columns === undefined ? undefined : optional('arguments', requiredList(columns), ARGUMENT);
    }
    if ('name' in fn.argument) {
      const columns = ofType(fn.argument);
      return columns === undefined ? undefined : mandatory('arguments', required(columns), ARGUMENT);
    }
    const columns = ofType(DOUBLE);
    if (columns === undefined) return undefined;
    const argumentsType = inputType(
      names.field(identifier, 'aggregate_bool_exp', custom(fn.name), 'arguments'),
      undefined,
      () =>
        (Array.isArray(fn.argument) ? fn.argument : []).map((key: string) =>
          mandatory(key, required(columns), ARGUMENT),
        ),
    );
    return mandatory('arguments', required(argumentsType), ARGUMENT);
  };
  const given = argument();
  if (given === undefined) return [];
  const type = inputType(names.field(identifier, 'aggregate_bool_exp', custom(fn.name)), undefined, () => [
    given,
    optional('distinct', required(BOOLEAN_SCALAR), ARGUMENT),
    mandatory('predicate', required(comparisonType(builder, fn.returns)), ARGUMENT),
    optional('filter', required(boolExpType(builder, view)), ARGUMENT),
  ]);
  return [
    optional(fn.name, required(type), {
      kind: 'aggregate-predicate',
      function: fn.name,
      returns: fn.returns,
    }),
  ];
}

function generatedWords(text: string) {
  return text.split('_').map((word) => ({ text: word, custom: false }));
}
