/**
 * The SQL of an event trigger: one function and one trigger per operation, which write to the event log
 * within the transaction that changes the row. Names are Hasura's.
 */

import type { EventTrigger } from '#metadata/types.ts';
import type { CatalogColumn, CatalogTable, PgType, QualifiedName } from '#postgres/catalog.ts';
import { ident, literal, qualified } from '#postgres/quote.ts';

export const PREFIX = 'notify_hasura_';
/** What PostgreSQL leaves of its 63 bytes. */
export const LONGEST_NAME = 42;

const OPERATIONS = ['insert', 'update', 'delete'] as const;
type Operation = (typeof OPERATIONS)[number];

export interface RowTrigger {
  /** Of the function and of the trigger. */
  readonly name: string;
  readonly eventTrigger: string;
  readonly table: QualifiedName;
  /** The function's body, as the catalogue keeps it: the same body needs no change. */
  readonly body: string;
  /** Fires for rows that arrive by replication too. */
  readonly always: boolean;
}

/** Types with an equality of their own; rows of others are compared as text. */
const COMPARABLE = new Set([
  ...['smallint', 'integer', 'bigint', 'numeric', 'real', 'float8', 'money', 'boolean', 'uuid', 'oid'],
  ...['text', 'varchar', 'bpchar', 'char', 'name', 'citext', 'bytea', 'jsonb'],
  ...[
    'date',
    'time',
    'timetz',
    'timestamp',
    'timestamptz',
    'interval',
    'inet',
    'cidr',
    'macaddr',
    'macaddr8',
  ],
]);
/** JSON numbers that lose digits in many clients. */
const BIG_NUMBERS = new Set(['bigint', 'numeric', 'float8']);

/** @param stringify as HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES: big numbers as JSON strings */
export function rowTriggers(trigger: EventTrigger, table: CatalogTable, stringify: boolean): RowTrigger[] {
  return OPERATIONS.flatMap((operation) => {
    const definition = trigger.definition[operation];
    if (definition === undefined) return [];
    return {
      name: `${PREFIX}${trigger.name}_${operation.toUpperCase()}`,
      eventTrigger: trigger.name,
      table: table.name,
      always: trigger.trigger_on_replication === true,
      body: body(operation, trigger.name, table.name, {
        listened: pick(table, definition.columns),
        sent: pick(table, definition.payload ?? '*'),
        stringify,
      }),
    };
  });
}

export function createFunction(trigger: RowTrigger): string {
  return `CREATE OR REPLACE FUNCTION hdb_catalog.${ident(trigger.name)}() RETURNS trigger LANGUAGE plpgsql AS ${literal(trigger.body)}`;
}

/** All statements, the old trigger's removal included. */
export function createTrigger(trigger: RowTrigger): string[] {
  const operation = trigger.name.slice(trigger.name.lastIndexOf('_') + 1);
  const [name, table] = [ident(trigger.name), qualified(trigger.table)];
  return [
    `DROP TRIGGER IF EXISTS ${name} ON ${table}`,
    `CREATE TRIGGER ${name} AFTER ${operation} ON ${table} FOR EACH ROW EXECUTE FUNCTION hdb_catalog.${name}()`,
    ...(trigger.always ? [`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${name}`] : []),
  ];
}

/** Drops the trigger with it. */
export function dropFunction(name: string): string {
  return `DROP FUNCTION IF EXISTS hdb_catalog.${ident(name)}() CASCADE`;
}

/** Columns that `wanted` names and the table has not. */
export function missingColumns(table: CatalogTable, wanted: '*' | readonly string[]): string[] {
  if (wanted === '*') return [];
  return wanted.filter((name) => !table.columns.some((column) => column.name === name));
}

function pick(table: CatalogTable, wanted: '*' | readonly string[]): readonly CatalogColumn[] {
  return wanted === '*' ? table.columns : table.columns.filter(({ name }) => wanted.includes(name));
}

interface Columns {
  readonly listened: readonly CatalogColumn[];
  readonly sent: readonly CatalogColumn[];
  readonly stringify: boolean;
}

function body(operation: Operation, trigger: string, table: QualifiedName, columns: Columns): string {
  const row = (name: 'OLD' | 'NEW') => rowAsJson(name, columns);
  const [before, after] = [
    operation === 'insert' ? 'NULL' : row('OLD'),
    operation === 'delete' ? 'NULL' : row('NEW'),
  ];
  const names = [table.schema, table.name, trigger, operation.toUpperCase()].map(literal).join(', ');
  const insert = `PERFORM hdb_catalog.insert_event_log(${names}, json_build_object('old', ${before}, 'new', ${after}));`;
  const guarded =
    operation === 'update' ? `IF ${changed(columns.listened)} THEN\n    ${insert}\n  END IF;` : insert;
  return `\nBEGIN\n  ${guarded}\n  RETURN NULL;\nEND\n`;
}

function rowAsJson(row: 'OLD' | 'NEW', { sent, stringify }: Columns): string {
  const values = sent.map(({ name, type }) => {
    const value = `${row}.${ident(name)}`;
    return `${stringify && BIG_NUMBERS.has(type.name) ? `${value}::text` : value} AS ${ident(name)}`;
  });
  return `(SELECT row_to_json(e) FROM (SELECT ${values.join(', ')}) AS e)`;
}

function changed(columns: readonly CatalogColumn[]): string {
  const comparisons = columns.map(({ name, type }) => {
    const cast = isComparable(type) ? '' : '::text';
    return `OLD.${ident(name)}${cast} IS DISTINCT FROM NEW.${ident(name)}${cast}`;
  });
  return comparisons.length === 0 ? 'false' : comparisons.join(' OR ');
}

function isComparable(type: PgType): boolean {
  if (type.kind === 'array') return type.element !== undefined && isComparable(type.element);
  return type.kind === 'enum' || COMPARABLE.has(type.name);
}
