/** JSON in SQL: values as they go into it, and objects with their keys in order. */
import type { PgType } from '#postgres/catalog.ts';
import { isBigNumber, isGeo } from '#postgres/pg-type.ts';
import { ident, literal } from '#postgres/quote.ts';
import type { Writer } from './writer.ts';

/** A value as it goes into JSON. */
export function jsonValue(writer: Writer, expression: string, type: PgType, isEnum: boolean): string {
  if (writer.options.stringifyNumbers && isBigNumber(type)) return `(${expression})::text`;
  if (isGeo(type)) return `ST_AsGeoJSON(${expression}, 15, 4)::json`;
  if (isEnum && writer.options.upperCaseEnums) return `upper(${expression})`;
  return expression;
}

/** PostgreSQL takes at most 100 arguments. */
const MAX_KEYS = 50;

/** PostgreSQL cuts longer names. */
const MAX_NAME_BYTES = 63;

export interface Entry {
  readonly key: string;
  readonly value: string;
}

/** A JSON object of keys in this order. Its values may be aggregates of the query around it. */
export function jsonObject(entries: readonly Entry[]): string {
  if (entries.length <= MAX_KEYS)
    return `json_build_object(${entries.map(({ key, value }) => `${literal(key)}, ${value}`).join(', ')})`;
  return `(SELECT row_to_json("t.o") FROM (SELECT ${selectList(entries)}) AS "t.o")`;
}

/** Whether the keys can be names of columns, so that whole rows become JSON objects. */
export function canBeColumns(entries: readonly Entry[]): boolean {
  return entries.every(({ key }) => Buffer.byteLength(key) <= MAX_NAME_BYTES);
}

export function selectList(entries: readonly Entry[]): string {
  return entries.map(({ key, value }) => `${value} AS ${ident(key)}`).join(', ');
}

/** A row's JSON as one expression. */
export function rowJson(writer: Writer, entries: readonly Entry[]): string {
  if (!canBeColumns(entries)) return jsonObject(entries);
  const alias = writer.alias();
  return `(SELECT row_to_json(${alias}) FROM (SELECT ${selectList(entries)}) AS ${alias})`;
}

/** The name of a type of the schema. */
export function typenameText(name: string): string {
  return `${literal(name)}::text`;
}
