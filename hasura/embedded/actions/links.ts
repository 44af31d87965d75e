/** Rows of tables for objects of an answer: one statement per selected relationship, however many objects. */
import { INTEGER } from '../catalog/pg-type.ts';
import { allRows } from '../plan/all-rows.ts';
import { writeJson } from '../plan/number.ts';
import type { Join, QueryNode, RowValue } from '../plan/types.ts';
import { writeQuery } from '../sql/statement.ts';
import { createParams, ident, type Param, qualified } from '../sql/text.ts';
import type { SqlOptions } from '../sql/writer.ts';
import type { LinkSites, RowsOf } from './output.ts';
import type { LinkedRows } from './types.ts';

export interface LinkContext {
  readonly resolve: (param: Param) => string | null;
  options(source: string): SqlOptions;
  /** Runs a statement on a source; rows as arrays of text. */
  query(source: string, text: string, values: readonly (string | null)[]): Promise<(string | null)[][]>;
}

type Answer = Readonly<Record<string, unknown>>;

/** No other name in a statement has a dot in it. */
const OBJECTS = 'action.objects';

/** @throws {EngineError} where a statement fails */
export async function readLinks(sites: LinkSites, context: LinkContext): Promise<RowsOf> {
  const found = new Map<LinkedRows, ReadonlyMap<Answer, string>>();
  await Promise.all(
    [...sites].map(async ([link, objects]) => {
      found.set(link, await readLink(link, objects, context));
    }),
  );
  return (link, object) => found.get(link)?.get(object) ?? 'null';
}

async function readLink(
  link: LinkedRows,
  objects: readonly Answer[],
  context: LinkContext,
): Promise<ReadonlyMap<Answer, string>> {
  const { mapping } = link.relationship;
  // An object without its key belongs to no row.
  const keyed = objects.filter((object) =>
    mapping.every(([field]) => object[field] !== undefined && object[field] !== null),
  );
  if (keyed.length === 0) return new Map();
  const { text, params } = compile(link, keyed, context.options(link.source));
  const rows = await context.query(link.source, text, params.map(context.resolve));
  const answers = new Map<Answer, string>();
  for (const [number, json] of rows) {
    const object = keyed[Number(number)];
    if (object !== undefined) answers.set(object, json ?? 'null');
  }
  return answers;
}

function compile(link: LinkedRows, objects: readonly Answer[], options: SqlOptions) {
  const { mapping, target } = link.relationship;
  const params = createParams();
  const keys = objects.map((object, index) => {
    const values = mapping.map(([field], position) => `"k${position}":${writeJson(object[field])}`);
    return `{${[`"n":${index}`, ...values].join(',')}}`;
  });
  const list = params.add({ from: 'value', value: `[${keys.join(',')}]` });
  const columns = mapping.map(([, column], position) => {
    const type = link.view.table.columnByName.get(column)?.type;
    if (type === undefined) throw new TypeError(`${qualified(target)} has no column ${column}`);
    return `k${position} ${type.sql}`;
  });
  const join: Join = mapping.map(([, column], position) => [`k${position}`, column] as const);
  const node: QueryNode = {
    kind: 'rows',
    source: link.source,
    single: false,
    rows: {
      select: allRows({ kind: 'cte', name: OBJECTS, table: target }),
      fields: [
        {
          alias: 'n',
          value: { kind: 'scalar', operand: { kind: 'column', column: 'n' }, type: INTEGER, isEnum: false },
        },
        { alias: 'rows', value: rowsValue(link, join) },
      ],
    },
  };
  const objectsText = `SELECT * FROM jsonb_to_recordset((${list})::jsonb) AS r(${['n integer', ...columns].join(', ')})`;
  const query = writeQuery(node, options, params);
  return {
    // Taken apart again by the database, which keeps the text of every row's JSON as it wrote it.
    text:
      `WITH ${ident(OBJECTS)} AS (${objectsText}) ` +
      `SELECT item->>'n', (item->'rows')::text FROM json_array_elements((${query})) AS item`,
    params: params.list,
  };
}

function rowsValue({ rows }: LinkedRows, join: Join): RowValue {
  return rows.kind === 'aggregate'
    ? { kind: 'aggregate', join, node: rows.node }
    : { kind: rows.kind, join, rows: rows.rows };
}
