import type { PgType } from './catalog.ts';
import { arrayOf, hasuraTypeName } from './pg-type.ts';

export interface TypeRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As `format_type` writes it. */
  readonly sql: string;
  /** `pg_type.typtype`. */
  readonly kind: string;
  /** `pg_type.typcategory`. */
  readonly category: string;
  readonly element: number;
  readonly base: number;
}

/** Types whose standard name means a length of one: a cast to it would cut the value. */
const UNBOUNDED: Readonly<Record<string, string>> = { character: 'bpchar', bit: '"bit"' };

/** Types by oid; a domain is its base type. */
export function buildTypes(rows: readonly TypeRow[]): (oid: number) => PgType {
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  const built = new Map<number, PgType>();
  const get = (oid: number): PgType => {
    const known = built.get(oid);
    if (known !== undefined) return known;
    const type = build(byOid.get(oid), oid);
    built.set(oid, type);
    return type;
  };
  const build = (row: TypeRow | undefined, oid: number): PgType => {
    if (row === undefined) throw new Error(`the catalogue names type ${oid} but does not describe it`);
    if (row.kind === 'd') return get(row.base);
    if (row.category === 'A' && row.element !== 0) return arrayOf(get(row.element));
    const kind = row.kind === 'e' ? 'enum' : row.kind === 'c' ? 'composite' : 'base';
    const name = kind === 'base' ? hasuraTypeName(row.name) : row.name;
    return { name, sql: UNBOUNDED[row.sql] ?? row.sql, kind, schema: row.schema };
  };
  return get;
}
