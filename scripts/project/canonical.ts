import { isDeepStrictEqual } from 'node:util';

/** Metadata, or a part of them, as JSON. */
export type Json = unknown;
export type JsonObject = Readonly<Record<string, Json>>;

/** Settings that mean something where they are empty: no `query_root_fields` at all are all of them. */
const TELLING = new Set([
  ...['columns', 'table', 'function', 'definition'],
  ...['query_root_fields', 'subscription_root_fields'],
]);

/** Settings whose values are data, of which nothing is left out: `filter: {}` lets every row through. */
const DATA = new Set(['filter', 'check', 'set', 'payload']);

/** Settings that are false unless told; of others it is not known. */
const FALSE_UNLESS_TOLD = new Set([
  ...['allow_aggregations', 'backend_only', 'enable_manual', 'forward_client_headers'],
  ...['is_enum', 'use_prepared_statements'],
]);

/** What an action leaves out of the client's headers unless told: Hasura writes it into what it exports. */
const IGNORED_UNLESS_TOLD = [
  ...[
    'Content-Length',
    'Content-MD5',
    'User-Agent',
    'Host',
    'Origin',
    'Referer',
    'Accept',
    'Accept-Encoding',
  ],
  ...['Accept-Language', 'Accept-Datetime', 'Cache-Control', 'Connection', 'DNT', 'Content-Type'],
];

/** Without what says nothing (null, what is empty, Hasura's own defaults), and with columns in one order. */
export function canonical(value: Json, key = ''): Json {
  // Presets may be empty altogether, where none are meant.
  if (DATA.has(key)) return key === 'set' && isDeepStrictEqual(value, {}) ? undefined : value;
  if (Array.isArray(value)) {
    if (key === 'ignored_client_headers' && isDeepStrictEqual(value, IGNORED_UNLESS_TOLD)) return undefined;
    const items = value.map((item) => canonical(item));
    if (items.length === 0 && !TELLING.has(key)) return undefined;
    return key === 'columns' ? items.map(String).sort() : items;
  }
  // Hasura exports it with its schema.
  if ((key === 'table' || key === 'function') && typeof value === 'string') {
    return { name: value, schema: 'public' };
  }
  if (value === false) return FALSE_UNLESS_TOLD.has(key) ? undefined : false;
  if (!isObject(value)) return value === null || value === '' ? undefined : value;
  const entries = Object.entries(value)
    .map(([name, item]) => [name, canonical(item, name)] as const)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 && !TELLING.has(key) ? undefined : Object.fromEntries(entries);
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
