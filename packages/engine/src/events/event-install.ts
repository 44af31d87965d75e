/** Brings the triggers in a source's database in line with the metadata, changing only what differs. */
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { addLockedBy } from '#jobs/advisory-lock-owner.ts';
import { withAdvisoryLock } from '#postgres/advisory-lock.ts';
import { DROP_EVENT_TABLES, EVENT_TABLES } from './event-tables.ts';
import { createFunction, createTrigger, dropFunction, PREFIX, type RowTrigger } from './event-trigger-sql.ts';

const installed = z.object({
  name: z.string(),
  body: z.string(),
  schema: z.string().nullable(),
  table: z.string().nullable(),
  always: z.boolean(),
});
type Installed = z.output<typeof installed>;

async function hasTable(client: Pool | PoolClient, name: string): Promise<boolean> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS present', [name]);
  return z.object({ present: z.boolean() }).parse(rows[0]).present;
}

export const hasEventLog = (pool: Pool) => hasTable(pool, 'hdb_catalog.event_log');

/** Makes the event log where it is missing. */
export async function prepareEventLog(pool: Pool): Promise<void> {
  if (!(await hasEventLog(pool))) {
    await withAdvisoryLock(pool, 'hdb_catalog', async (client) => void (await client.query(EVENT_TABLES)));
  }
  await addLockedBy(pool, 'hdb_catalog.event_log');
}

/**
 * Takes the event log and its triggers out of a source's database; a database that holds no metadata is left
 * without any trace of the engine.
 */
export async function removeEventLog(pool: Pool): Promise<void> {
  await withAdvisoryLock(pool, 'hdb_catalog', async (client) => {
    if (!(await hasTable(client, 'hdb_catalog.hdb_metadata'))) {
      await client.query('DROP SCHEMA IF EXISTS hdb_catalog CASCADE');
      return;
    }
    for (const { name } of await readInstalled(client)) await client.query(dropFunction(name));
    await client.query(DROP_EVENT_TABLES);
  });
}

/**
 * @param wanted all row triggers of the source
 * @param dropped event triggers that are gone from the metadata: their events are not delivered any more.
 *   Triggers that neither list names are left alone: they may be another engine's.
 */
export async function installTriggers(
  pool: Pool,
  wanted: readonly RowTrigger[],
  dropped: readonly string[],
): Promise<void> {
  const differs = (found: readonly Installed[]) => {
    const missing = wanted.filter((trigger) => !found.some((one) => isSame(one, trigger)));
    const ours = new Set([...wanted.map(({ eventTrigger }) => eventTrigger), ...dropped]);
    const stray = found.filter(
      ({ name }) => ours.has(eventTriggerOf(name)) && !wanted.some((trigger) => trigger.name === name),
    );
    return { missing, stray };
  };
  const before = differs(await readInstalled(pool));
  if (before.missing.length > 0 || before.stray.length > 0) {
    await withAdvisoryLock(pool, 'hdb_catalog', async (client) => {
      const { missing, stray } = differs(await readInstalled(client));
      for (const { name } of stray) await client.query(dropFunction(name));
      for (const trigger of missing) {
        // The trigger may sit on another table, from before the event trigger was moved.
        await client.query(dropFunction(trigger.name));
        await client.query(createFunction(trigger));
        for (const statement of createTrigger(trigger)) await client.query(statement);
      }
    });
  }
  if (dropped.length > 0) {
    await pool.query('UPDATE hdb_catalog.event_log SET archived = true WHERE trigger_name = ANY($1)', [
      dropped,
    ]);
  }
}

function isSame(found: Installed, trigger: RowTrigger): boolean {
  return (
    found.name === trigger.name &&
    found.body === trigger.body &&
    found.schema === trigger.table.schema &&
    found.table === trigger.table.name &&
    found.always === trigger.always
  );
}

function eventTriggerOf(functionName: string): string {
  return functionName.slice(PREFIX.length, functionName.lastIndexOf('_'));
}

async function readInstalled(client: Pool | PoolClient): Promise<Installed[]> {
  const { rows } = await client.query(
    `SELECT p.proname AS name, p.prosrc AS body, tn.nspname AS schema, c.relname AS table,
       coalesce(t.tgenabled = 'A', false) AS always
     FROM pg_catalog.pg_proc AS p
     JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
     LEFT JOIN pg_catalog.pg_trigger AS t ON t.tgfoid = p.oid AND t.tgparentid = 0
     LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
     LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = c.relnamespace
     WHERE n.nspname = 'hdb_catalog' AND starts_with(p.proname, $1)`,
    [PREFIX],
  );
  return z.array(installed).parse(rows);
}
