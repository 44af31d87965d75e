/** `order_by` arguments as what rows are sorted by. */
import { hashOrder } from '#base/hash-order.ts';
import type { Input, ObjectInput } from '#ir/input.ts';
import type { EnumValue } from '#ir/schema.ts';
import type { OrderItem, OrderKey } from '#ir/select.ts';
import type { Ordering } from '#schema/order-by.ts';
import { MAX_LEVELS, tooDeep } from './errors.ts';
import { asList, asObject } from './read-input.ts';

/**
 * List items in the order they were written, the keys of one object in that of Hasura's maps; a null direction
 * sorts by nothing.
 */
export function planOrderBy(input: Input | undefined): OrderItem[] {
  if (input === undefined || input.kind === 'null') return [];
  return asList(input).items.flatMap((item) => planObject(asObject(item)));
}

function planObject(input: ObjectInput, levels = MAX_LEVELS): OrderItem[] {
  if (levels === 0) throw tooDeep();
  return hashOrder(input.fields, keyOf).flatMap(({ field, value }): OrderItem[] => {
    if (value.kind === 'null') return [];
    const { meaning } = field;
    switch (meaning.kind) {
      case 'operand':
        return [ordered(value, { kind: 'operand', operand: meaning.operand })];
      case 'relationship':
        return planObject(asObject(value), levels - 1).map((item) => ({
          ...item,
          by: {
            kind: 'related',
            target: meaning.relationship.target,
            mapping: meaning.relationship.mapping,
            permission: meaning.view.access.filter,
            by: item.by,
          },
        }));
      case 'relationship-aggregate':
        return planAggregates(asObject(value), {
          from: { target: meaning.relationship.target, mapping: meaning.relationship.mapping },
          permission: meaning.view.access.filter,
        });
      case 'computed-table':
        return planAggregates(asObject(value), {
          from: { function: meaning.field.function },
          permission: meaning.view.access.filter,
        });
      default:
        throw new TypeError(`${field.name} is nothing to sort by`);
    }
  });
}

/** What Hasura's map of a table's fields has the field under: the name in the database or in the metadata. */
function keyOf({ field: { name, meaning } }: ObjectInput['fields'][number]): string {
  switch (meaning.kind) {
    case 'operand':
      return meaning.operand.kind === 'column' ? meaning.operand.column : name;
    case 'relationship':
    case 'relationship-aggregate':
      return meaning.relationship.name;
    case 'computed-table':
      return meaning.field.name;
    default:
      return name;
  }
}

type AggregateKey = Extract<OrderKey, { kind: 'related-aggregate' }>;

function planAggregates(input: ObjectInput, related: Pick<AggregateKey, 'from' | 'permission'>): OrderItem[] {
  const isCount = ({ field }: ObjectInput['fields'][number]) => field.meaning.kind === 'count';
  const countFirst = input.fields.toSorted((a, b) => Number(isCount(b)) - Number(isCount(a)));
  return countFirst.flatMap(({ field, value }): OrderItem[] => {
    if (value.kind === 'null') return [];
    const { meaning } = field;
    if (meaning.kind === 'count')
      return [
        ordered(value, { kind: 'related-aggregate', ...related, function: 'count', operand: undefined }),
      ];
    if (meaning.kind !== 'aggregate-operator') throw new TypeError(`${field.name} is no aggregate`);
    const { operator } = meaning;
    return hashOrder(asObject(value).fields, keyOf).flatMap((column) => {
      if (column.value.kind === 'null' || column.field.meaning.kind !== 'operand') return [];
      const { operand } = column.field.meaning;
      return [ordered(column.value, { kind: 'related-aggregate', ...related, function: operator, operand })];
    });
  });
}

function ordered(value: Input, by: OrderKey): OrderItem {
  if (value.kind !== 'enum') throw new TypeError('a direction is an enum value');
  return { by, ...ordering(value.value) };
}

function ordering({ name, value }: EnumValue): Ordering {
  if (!isOrdering(value)) throw new TypeError(`${name} is no direction`);
  return value;
}

function isOrdering(value: unknown): value is Ordering {
  return typeof value === 'object' && value !== null && 'direction' in value && 'nulls' in value;
}
