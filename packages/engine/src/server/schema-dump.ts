/**
 * A database's schema or rows as SQL, from PostgreSQL's own catalogue functions: what the hasura CLI asks of
 * pg_dump, where that program is missing or older than the server. Known to leave out: partitions and
 * inheritance, row-level security, privileges, operators, casts, text search and publications.
 */
import { z } from 'zod';
import { EngineError } from '#base/errors.ts';

/** The part of a `pg` pool that dumping needs. */
export interface Queryable {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

/** What of pg_dump's options is understood. */
export interface DumpOptions {
  readonly dataOnly: boolean;
  /** All but the system's own when empty. */
  readonly schemas: readonly string[];
  readonly excludedSchemas: readonly string[];
  /** As PostgreSQL reads them in `regclass`; all when empty. */
  readonly tables: readonly string[];
}

/** @throws {EngineError} `not-supported` for any other option */
export function readDumpOptions(opts: readonly string[]): DumpOptions {
  const schemas: string[] = [];
  const excludedSchemas: string[] = [];
  const tables: string[] = [];
  let dataOnly = false;
  const list = opts.flatMap((option) => (option.startsWith('--') ? option.split(/=(.*)/s, 2) : [option]));
  for (let index = 0; index < list.length; index += 1) {
    const option = list[index] ?? '';
    const value = () => {
      index += 1;
      return list[index] ?? '';
    };
    if (['-n', '--schema'].includes(option)) schemas.push(value());
    else if (['-N', '--exclude-schema'].includes(option)) excludedSchemas.push(value());
    else if (['-t', '--table'].includes(option)) tables.push(value());
    else if (['-a', '--data-only'].includes(option)) dataOnly = true;
    else if (!NEUTRAL.includes(option)) {
      throw new EngineError(
        'not-supported',
        `pg_dump option ${option} needs the program itself; install PostgreSQL's client programs of the server's version`,
      );
    }
  }
  return { dataOnly, schemas, excludedSchemas, tables };
}

const NEUTRAL = [
  '-O',
  '--no-owner',
  '-x',
  '--no-acl',
  '--no-privileges',
  '-s',
  '--schema-only',
  '--column-inserts',
  '--inserts',
];

/** Statements, one or more lines each, in an order in which they can run. */
export async function dumpSchema(database: Queryable, options: DumpOptions): Promise<string> {
  const parts = options.dataOnly ? [] : SCHEMA_PARTS;
  const statements: string[] = options.dataOnly ? [] : ['SET check_function_bodies = false;'];
  const scope = [options.schemas, options.excludedSchemas, options.tables];
  for (const part of parts) statements.push(...(await texts(database, `${SCOPE} ${part}`, scope)));
  if (options.dataOnly) {
    for (const query of await texts(database, `${SCOPE} ${ROWS}`, scope)) {
      statements.push(...(await texts(database, query, [])));
    }
  }
  return `${statements.join('\n')}\n`;
}

const row = z.object({ sql: z.string() });

async function texts(database: Queryable, query: string, values: unknown[]): Promise<string[]> {
  const { rows } = await database.query(query, values);
  return rows.map((one) => row.parse(one).sql);
}

/** What is dumped: namespaces and relations in scope, less what extensions brought along. */
const SCOPE = `
WITH spaces AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname !~ '^(pg_|information_schema$)'
    AND (cardinality($1::text[]) = 0 OR nspname = ANY($1)) AND nspname <> ALL($2::text[])
), extended AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relations AS (
  SELECT c.*, format('%I.%I', s.nspname, c.relname) AS name
  FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
    AND (cardinality($3::text[]) = 0 OR c.oid = ANY(SELECT t::regclass FROM unnest($3::text[]) AS t))
)`;

const notExtended = (catalog: string, alias: string) =>
  `NOT EXISTS (SELECT FROM extended e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${alias}.oid)`;

const SCHEMA_PARTS = [
  `SELECT format('CREATE SCHEMA %I;', nspname) AS sql FROM spaces WHERE nspname <> 'public' ORDER BY oid`,

  `SELECT format('CREATE TYPE %I.%I AS ENUM (%s);', s.nspname, t.typname,
     (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)) AS sql
   FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace WHERE t.typtype = 'e' AND ${notExtended('pg_type', 't')} ORDER BY t.oid`,

  `SELECT format('CREATE DOMAIN %I.%I AS %s%s%s%s;', s.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
     ' DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN ' NOT NULL' END,
     (SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), '' ORDER BY oid)
      FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')) AS sql
   FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace WHERE t.typtype = 'd' AND ${notExtended('pg_type', 't')} ORDER BY t.oid`,

  `SELECT format('CREATE TYPE %s AS (%s);', name,
     (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = relations.oid AND attnum > 0 AND NOT attisdropped)) AS sql
   FROM relations WHERE relkind = 'c' ORDER BY oid`,

  `SELECT format('CREATE SEQUENCE %s AS %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s;', r.name,
     format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,
     CASE WHEN q.seqcycle THEN ' CYCLE' END) AS sql
   FROM relations r JOIN pg_sequence q ON q.seqrelid = r.oid
   WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = r.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'i')
   ORDER BY r.oid`,

  `SELECT format(E'CREATE TABLE %s (\\n%s\\n);', r.name, (
     SELECT string_agg(format('    %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attidentity = 'a' THEN ' GENERATED ALWAYS AS IDENTITY'
            WHEN a.attidentity = 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' END,
       CASE WHEN a.attgenerated <> '' THEN format(' GENERATED ALWAYS AS (%s) %s', pg_get_expr(d.adbin, d.adrelid),
              CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END)
            WHEN d.adbin IS NOT NULL AND d.adbin::text !~ 'funcid' THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
       CASE WHEN a.attnotnull THEN ' NOT NULL' END), E',\\n' ORDER BY a.attnum)
     FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS sql
   FROM relations r WHERE r.relkind = 'r' ORDER BY r.oid`,

  `SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I;', r.name, d.refobjid::regclass, a.attname) AS sql
   FROM relations r JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'a' AND d.refobjsubid > 0
   JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE r.relkind = 'S' ORDER BY r.oid`,

  `SELECT rtrim(pg_get_functiondef(p.oid), E'\\n') || ';' AS sql
   FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace
   WHERE p.prokind IN ('f', 'p') AND cardinality($3::text[]) = 0 AND ${notExtended('pg_proc', 'p')} ORDER BY p.oid`,

  // Defaults that call functions wait until those are there.
  `SELECT format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s;', r.name, a.attname, pg_get_expr(d.adbin, d.adrelid)) AS sql
   FROM relations r JOIN pg_attrdef d ON d.adrelid = r.oid JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.adnum
   WHERE r.relkind = 'r' AND a.attgenerated = '' AND d.adbin::text ~ 'funcid' ORDER BY r.oid, d.adnum`,

  `SELECT format('CREATE %s %s AS %s', CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, name, pg_get_viewdef(oid)) AS sql
   FROM relations WHERE relkind IN ('v', 'm') ORDER BY oid`,

  `SELECT format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s;', r.name, k.conname, pg_get_constraintdef(k.oid)) AS sql
   FROM relations r JOIN pg_constraint k ON k.conrelid = r.oid
   WHERE k.contype IN ('p', 'u', 'c', 'x', 'f') ORDER BY k.contype = 'f', k.oid`,

  `SELECT pg_get_indexdef(i.indexrelid) || ';' AS sql
   FROM relations r JOIN pg_index i ON i.indrelid = r.oid
   WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) ORDER BY i.indexrelid`,

  `SELECT pg_get_triggerdef(t.oid) || ';' AS sql FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid
   WHERE NOT t.tgisinternal AND t.tgname !~ '^notify_hasura_' ORDER BY t.oid`,

  `SELECT CASE WHEN d.objsubid = 0
     THEN format('COMMENT ON %s %s IS %L;', CASE r.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, r.name, d.description)
     ELSE format('COMMENT ON COLUMN %s.%I IS %L;', r.name, a.attname, d.description) END AS sql
   FROM relations r JOIN pg_description d ON d.objoid = r.oid AND d.classoid = 'pg_class'::regclass
   LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0
   WHERE r.relkind IN ('r', 'v', 'm') ORDER BY r.oid, d.objsubid`,
];

/** For each table a query that writes its rows as INSERT statements. */
const ROWS = `
SELECT format('SELECT format(''INSERT INTO %s (%s) VALUES (%s);'', %s) AS sql FROM %s',
  replace(replace(r.name, '%', '%%'), '''', ''''''), replace(replace(c.names, '%', '%%'), '''', ''''''), c.places, c.names, r.name) AS sql
FROM relations r CROSS JOIN LATERAL (
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS names, string_agg('%L', ', ' ORDER BY attnum) AS places
  FROM pg_attribute WHERE attrelid = r.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
) c
WHERE r.relkind = 'r' AND c.names IS NOT NULL ORDER BY r.oid`;
