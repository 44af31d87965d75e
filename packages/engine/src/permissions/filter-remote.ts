/** Filters over a relationship to another source: `{album: {kind: {_eq: "X-Hasura-Kind"}}}`. */

import { all, NEVER, type Predicate } from '#ir/predicate.ts';
import type { RemoteRelationship } from '#ir/tracked.ts';
import { Problem } from '#metadata/problem.ts';
import { arrayOf } from '#postgres/pg-type.ts';
import { isPlainObject } from '#values/json.ts';
import type { FilterContext } from './filter-context.ts';
import { planColumnFilter } from './filter-operators.ts';

const TEMPLATE =
  'Expected the remote relationship expression predicate to be {"<remote column name>":{"_eq":"<some session variable name>"}}';

const ONE_VALUE = ['_eq', '_neq', '_gt', '_lt', '_gte', '_lte', '_like', '_nlike'];
const LISTS = ['_in', '_nin'];

/**
 * The keys of the other source's rows are fetched before a statement runs, and the row has to have one of them. As in Hasura the relationship is by one column, and the filter one level deep.
 *
 * @throws {Problem} for anything else
 */
export function planRemoteFilter(
  relationship: RemoteRelationship,
  value: unknown,
  context: FilterContext,
): Predicate {
  const [key, ...others] = relationship.keys;
  if (key === undefined || others.length > 0)
    throw new Problem('remote field mapping should have exactly one column');
  if (key.operand.kind !== 'column') throw new Problem('remote field mapping should not have computed field');
  const { source, target } = relationship;
  const there = context.lookup.elsewhere(source, target);
  const [entry, ...more] = isPlainObject(value) ? Object.entries(value) : [];
  if (entry === undefined || more.length > 0 || there === undefined) throw new Problem(TEMPLATE);
  const [name, operators] = entry;
  const column = there.table.columnByName.get(name);
  if (column === undefined) throw new Problem(`"${name}" does not exist`);
  if (!isPlainObject(operators)) throw new Problem(TEMPLATE);
  const left = { kind: 'column', column: column.name } as const;
  const compare = (operator: string, operand: unknown) =>
    planColumnFilter(
      left,
      column.type,
      { [operator]: operand },
      { ...context, root: there, table: there },
      `"${name}"`,
    );
  const where = Object.entries(operators).map(([operator, operand]): Predicate => {
    if (operator === '_is_null') return compare(operator, operand);
    if (ONE_VALUE.includes(operator)) return compare(operator, text(operand));
    if (!LISTS.includes(operator)) throw new Problem(UNKNOWN_OPERATOR);
    if (!Array.isArray(operand)) throw new Problem(`expected a list under "${operator}"`);
    const items = operand.map((item: unknown) => compare('_eq', text(item)));
    const isOne: Predicate = items.length === 0 ? NEVER : { kind: 'or', items };
    return operator === '_in' ? isOne : { kind: 'not', item: isOne };
  });
  return {
    kind: 'compare',
    left: key.operand,
    operator: 'in',
    right: {
      kind: 'param',
      type: arrayOf(key.column.type),
      param: {
        from: 'remote',
        condition: { source, table: target, column: key.column.name, where: all(where) },
      },
    },
  };
}

const UNKNOWN_OPERATOR = `Expected one of the supported operators (${[...ONE_VALUE, ...LISTS, '_is_null'].join(', ')})`;

function text(value: unknown): string {
  if (typeof value !== 'string')
    throw new Problem(`expected a session variable or a text, found ${JSON.stringify(value)}`);
  return value;
}
