/** `where` arguments as predicates. */

import type { Input, ObjectInput } from '#ir/input.ts';
import { ALWAYS, all, type Comparand, type Operand, type Predicate } from '#ir/predicate.ts';
import type { InputField, InputMeaning } from '#ir/schema.ts';
import { planExpression } from '#permissions/boolean-expression.ts';
import type { QualifiedName } from '#postgres/catalog.ts';
import { TEXT } from '#postgres/pg-type.ts';
import { invalid, MAX_LEVELS, tooDeep } from './errors.ts';
import { asList, asObject, enumColumn } from './read-input.ts';

/**
 * The condition a `…_bool_exp` stands for; null and nothing hold for every row. It may lead through as many
 * relationships as `levels` says.
 */
export function planWhere(input: Input | undefined, levels = MAX_LEVELS): Predicate {
  if (levels === 0) throw tooDeep();
  if (input === undefined) return ALWAYS;
  return planExpression<Input, ObjectInput['fields'][number]>(input, {
    entriesOf: (expression) => (expression.kind === 'null' ? [] : asObject(expression).fields),
    read({ field, value }) {
      const { kind } = field.meaning;
      if (kind === 'and' || kind === 'or') return { kind, items: asList(value).items };
      if (kind === 'not') return { kind, item: value };
      return { kind: 'condition', predicate: planCondition(field, value, levels) };
    },
  });
}

function planCondition({ name, meaning }: InputField, value: Input, levels: number): Predicate {
  switch (meaning.kind) {
    case 'operand':
      return planComparisons(meaning.operand, asObject(value));
    case 'relationship':
      return {
        kind: 'related',
        target: meaning.relationship.target,
        mapping: meaning.relationship.mapping,
        permission: meaning.view.access.filter,
        where: planWhere(value, levels - 1),
      };
    case 'computed-table':
      return {
        kind: 'computed-rows',
        function: meaning.field.function,
        permission: ALWAYS,
        where: planWhere(value, levels - 1),
      };
    case 'relationship-aggregate':
      return planAggregate(asObject(value), {
        target: meaning.relationship.target,
        mapping: meaning.relationship.mapping,
        permission: meaning.view.access.filter,
        levels: levels - 1,
      });
    default:
      throw new TypeError(`${name} is no condition`);
  }
}

function planComparisons(operand: Operand, input: ObjectInput): Predicate {
  return all(
    input.fields.map(({ field, value }): Predicate => {
      const { meaning } = field;
      if (meaning.kind === 'collapsing') {
        const comparison = { field: { ...field, meaning: meaning.meaning }, value };
        return value.kind === 'null' ? all([]) : planComparisons(operand, { ...input, fields: [comparison] });
      }
      switch (meaning.kind) {
        case 'is-null':
          return { kind: 'is-null', left: operand, negated: value.kind === 'value' && value.value === false };
        case 'cast':
          return all(
            asObject(value).fields.map((cast) => {
              if (cast.field.meaning.kind !== 'cast' || cast.field.meaning.type === undefined)
                throw new TypeError('a cast names its type');
              const casted: Operand = { kind: 'cast', of: operand, type: cast.field.meaning.type };
              return planComparisons(casted, asObject(cast.value));
            }),
          );
        case 'operator':
          return planOperator(operand, meaning, value);
        default:
          throw new TypeError(`${field.name} is no operator`);
      }
    }),
  );
}

function planOperator(
  left: Operand,
  { operator, arguments: names = [] }: Extract<InputMeaning, { kind: 'operator' }>,
  value: Input,
): Predicate {
  if (value.kind !== 'object') return { kind: 'compare', left, operator, right: asComparand(value) };
  const given = new Map(value.fields.map((entry) => [entry.field.name, entry.value]));
  const [right, ...more] = names.map(([name, type]) => asComparand(given.get(name), type));
  if (right === undefined) throw new TypeError(`${operator} takes no object`);
  return { kind: 'compare', left, operator, right, more };
}

function asComparand(value: Input | undefined, type = TEXT): Comparand {
  if (value === undefined || value.kind === 'null')
    return { kind: 'param', param: { from: 'value', value: null }, type };
  if (value.kind !== 'param') throw new TypeError('comparisons take parameters');
  return { kind: 'param', param: value.param, type: value.pgType };
}

interface Related {
  readonly target: QualifiedName;
  readonly mapping: readonly (readonly [string, string])[];
  readonly permission: Predicate;
  /** Of relationships, that are left for its filter. */
  readonly levels: number;
}

function planAggregate(input: ObjectInput, { levels, ...related }: Related): Predicate {
  const [entry] = input.fields;
  if (entry === undefined || input.fields.length !== 1)
    throw invalid('exactly one predicate should be specified', input.at);
  const { meaning } = entry.field;
  if (meaning.kind !== 'aggregate-predicate') throw new TypeError('not an aggregate predicate');
  const parts = new Map(asObject(entry.value).fields.map(({ field, value }) => [field.name, value]));
  const predicate = parts.get('predicate');
  if (predicate === undefined) throw new TypeError('an aggregate predicate has a predicate');
  return {
    kind: 'related-aggregate',
    ...related,
    where: planWhere(parts.get('filter'), levels),
    function: meaning.function,
    // As in Hasura, `distinct` is read and makes no difference.
    arguments: aggregateArguments(parts.get('arguments')),
    having: planComparisons({ kind: 'aggregate' }, asObject(predicate)),
  };
}

function aggregateArguments(input: Input | undefined): Operand[] {
  if (input === undefined || input.kind === 'null') return [];
  if (input.kind === 'enum') return [enumColumn(input.value)];
  if (input.kind === 'list') return input.items.flatMap(aggregateArguments);
  return asObject(input).fields.flatMap(({ value }) => aggregateArguments(value));
}
