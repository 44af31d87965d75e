/** What the parts of a statement share while it is written. */

import type { Param } from '#ir/predicate.ts';
import type { PgType } from '#postgres/catalog.ts';
import { isGeo } from '#postgres/pg-type.ts';
import { ident } from '#postgres/quote.ts';
import type { Params } from './params.ts';

export interface SqlOptions {
  /** Big numbers as strings (HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES). */
  readonly stringifyNumbers: boolean;
  /** Values of enum tables in capitals, as the naming convention `graphql-default` shows them. */
  readonly upperCaseEnums: boolean;
  /** FETCH FIRST … WITH TIES: PostgreSQL 13 and later. */
  readonly hasWithTies: boolean;
}

export interface Writer {
  readonly params: Params;
  readonly options: SqlOptions;
  /** A quoted alias that no other part of the statement has, and no column or field either. */
  alias(): string;
  /** A parameter, cast to its type. */
  param(param: Param, type: PgType): string;
}

/** What a row's columns are read from: a quoted alias or table name. */
export interface Scope {
  readonly row: string;
  /** The row that a permission as a whole is about (`["$", "column"]`). */
  readonly root: string;
}

export function createWriter(params: Params, options: SqlOptions): Writer {
  let count = 0;
  return {
    params,
    options,
    // The dot keeps it apart from GraphQL's names, which become column names in the same statement.
    alias: () => ident(`t.${count++}`),
    param(param, type) {
      return fromText(params.add(param), type);
    },
  };
}

/** A client's value that is part of the statement as text: shapes come as GeoJSON, rasters as hexadecimal digits. */
export function fromText(expression: string, type: PgType): string {
  if (isGeo(type)) return `ST_GeomFromGeoJSON(${expression})::${type.name}`;
  if (type.name === 'raster') return `ST_RastFromHexWKB(${expression})::raster`;
  return `(${expression})::${type.sql}`;
}

export function column(scope: Scope, name: string): string {
  return `${scope.row}.${ident(name)}`;
}

/** A column's values as one parameter: the statement is the same for any number of rows. */
export function writeTexts(writer: Writer, items: readonly (string | null)[]): string {
  return `${writer.params.add({ from: 'texts', items })}::text[]`;
}
