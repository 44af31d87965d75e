/** The rows of tables that are tracked as enums: the values of the columns that reference them. */
import { z } from 'zod';
import type { CatalogTable } from './catalog.ts';
import { ident, qualified } from './quote.ts';
import type { Queryable } from './read-catalog.ts';

export type EnumRows =
  | { readonly values: readonly { readonly name: string; readonly comment: string | undefined }[] }
  /** Why the table cannot be an enum. */
  | { readonly problems: readonly string[] };

const rowSchema = z.object({ value: z.string(), comment: z.string().nullable() });
const ENUM_VALUE = /^(?!(?:true|false|null)$)[_A-Za-z][_0-9A-Za-z]*$/;

export async function readEnumRows(database: Queryable, table: CatalogTable): Promise<EnumRows> {
  const problems: string[] = [];
  const keys = table.primaryKey?.columns ?? [];
  const [key] = keys;
  const others = table.columns.filter((column) => column.name !== key);
  const [comment] = others;
  if (key === undefined) {
    problems.push('the table must have a primary key');
  } else if (keys.length > 1) {
    problems.push(`the table’s primary key must not span multiple columns (${keys.toSorted().join(', ')})`);
  } else {
    const type = table.columns.find((column) => column.name === key)?.type.name ?? '';
    if (type !== 'text') problems.push(mismatch('primary key', key, type));
  }
  if (keys.length <= 1 && others.length > 1)
    problems.push(
      `the table must have exactly one primary key and optionally one comment column, not ${table.columns.length} columns (${table.columns
        .map((column) => column.name)
        .toSorted()
        .join(', ')})`,
    );
  else if (comment !== undefined && comment.type.name !== 'text' && keys.length <= 1)
    problems.push(mismatch('comment column', comment.name, comment.type.name));
  if (problems.length > 0 || key === undefined) return { problems };
  return readValues(database, table, key, comment?.name);
}

const mismatch = (what: string, column: string, type: string) =>
  `the table’s ${what} ("${column}") must have type "text", not type "${type}"`;

async function readValues(
  database: Queryable,
  table: CatalogTable,
  key: string,
  comment: string | undefined,
): Promise<EnumRows> {
  const { rows } = await database.query(
    `SELECT ${ident(key)} AS "value", ${comment === undefined ? 'NULL::text' : ident(comment)} AS "comment" ` +
      `FROM ${qualified(table.name)} ORDER BY 1`,
  );
  const values = rows.map((row) => rowSchema.parse(row));
  if (values.length === 0) return { problems: ['the table must have at least one row'] };
  const invalid = values.map(({ value }) => value).filter((value) => !ENUM_VALUE.test(value));
  if (invalid.length > 0) return { problems: [invalidValues(invalid)] };
  return { values: values.map((row) => ({ name: row.value, comment: row.comment ?? undefined })) };
}

function invalidValues(values: readonly string[]): string {
  const quoted = values.map((value) => `"${value}"`).toSorted();
  if (quoted.length === 1) return `the value ${quoted[0]} is not a valid GraphQL enum value name`;
  const list =
    quoted.length === 2 ? quoted.join(' and ') : `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`;
  return `the values ${list} are not valid GraphQL enum value names`;
}
