/**
 * A handler as one would write it without Hasura: one upsert for each event, a prepared statement on a
 * pool of ten connections. With the argument `with-ledger` the same statement also keeps the delivery,
 * so that none counts twice.
 *
 * Arguments: the database's URL, and `with-ledger` or nothing.
 */
import { Pool } from 'pg';
import { stringify } from '#core/raw-json.ts';
import { batchVariables } from '#sync/rows.ts';
import { serveWebhooks } from './webhook-server.ts';

const [, , connectionString, mode] = process.argv;
if (connectionString === undefined)
  throw new Error('The database’s URL is missing: give it as the first argument.');
const pool = new Pool({ connectionString, max: 10 });

await serveWebhooks(async (entry, records) => {
  const { users, deliveries } = batchVariables(records, [entry]);
  const [user, delivery] = [users, deliveries].map((rows) => Object.entries([rows].flat()[0] ?? {}));
  if (user === undefined || delivery === undefined) return;
  const isWithLedger = mode === 'with-ledger';
  const text = upsert('users', user, 0);
  const values = [...user, ...(isWithLedger ? delivery : [])].map(([, value]) =>
    typeof value === 'object' && value !== null ? stringify(value) : value,
  );
  await pool.query({
    name: 'upsert',
    text: isWithLedger
      ? `with kept as (${insert('identity.deliveries', delivery, user.length)} on conflict do nothing) ${text}`
      : text,
    values,
  });
});

function insert(table: string, row: readonly (readonly [string, unknown])[], before: number): string {
  const places = row.map((_, index) => `$${before + index + 1}`);
  return `insert into ${table} (${row.map(([name]) => name)}) values (${places})`;
}

function upsert(table: string, row: readonly (readonly [string, unknown])[], before: number): string {
  const updates = row.map(([name]) => `${name} = excluded.${name}`);
  return `${insert(table, row, before)} on conflict (id) do update set ${updates}`;
}
