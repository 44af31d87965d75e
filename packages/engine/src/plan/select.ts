/** Which rows: the role's filter and the client's arguments put together. */
import type { Arguments, Input } from '#ir/input.ts';
import type { Path } from '#ir/path.ts';
import { all, type Param } from '#ir/predicate.ts';
import type { Select, Source } from '#ir/select.ts';
import type { TableView } from '#ir/tracked.ts';
import { invalid } from './errors.ts';
import { planOrderBy } from './order-by.ts';
import { asList, enumColumn, tableArgument } from './read-input.ts';
import { planWhere } from './where.ts';

/**
 * Which rows of `source`, in which order: the role's filter and limit together with the arguments.
 * `path` leads to the arguments.
 */
export function planSelect(
  source: Source,
  view: TableView,
  given: Arguments,
  path: Path | undefined,
): Select {
  const orderBy = planOrderBy(tableArgument(given, 'order_by'));
  const distinctOn = planDistinct(tableArgument(given, 'distinct_on'));
  if (distinctOn.length > 0 && orderBy.length > 0 && !startsWith(orderBy, distinctOn))
    throw invalid('"distinct_on" columns must match initial "order_by" columns', path);
  return {
    from: source,
    where: all([view.access.filter, planWhere(tableArgument(given, 'where'))]),
    distinctOn,
    orderBy,
    limit: asParam(tableArgument(given, 'limit')),
    maximum: view.access.limit,
    offset: asParam(tableArgument(given, 'offset')),
  };
}

/** The initial items must sort by exactly the distinct columns, in any order. */
function startsWith(orderBy: Select['orderBy'], distinctOn: Select['distinctOn']): boolean {
  const columns = orderBy
    .slice(0, distinctOn.length)
    .map(({ by }) => (by.kind === 'operand' && by.operand.kind === 'column' ? by.operand.column : undefined));
  return (
    columns.length === distinctOn.length &&
    !columns.includes(undefined) &&
    distinctOn.every(({ column }) => columns.includes(column))
  );
}

function planDistinct(input: Input | undefined): Select['distinctOn'] {
  if (input === undefined || input.kind === 'null') return [];
  return asList(input).items.flatMap((item) => (item.kind === 'enum' ? [enumColumn(item.value)] : []));
}

function asParam(input: Input | undefined): Param | undefined {
  return input?.kind === 'param' ? input.param : undefined;
}
