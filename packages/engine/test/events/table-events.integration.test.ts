import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

let engine: TestEngine;
let target: Receiver;

beforeAll(async () => {
  target = await startReceiver();
  engine = await startEngine({ TARGET: target.url });
  await engine.database.query('CREATE TABLE author (id serial PRIMARY KEY, name text)');
  await engine.metadata('pg_track_table', { table: 'author' });
}, 60_000);
afterAll(async () => {
  await engine?.close();
  await target?.close();
});

const trigger = { name: 'authors', table: 'author', webhook: '{{TARGET}}', insert: { columns: '*' } };

test.each([
  [{ insert: undefined }, 'atleast one amongst insert/update/delete/enable_manual spec must be provided'],
  [{ webhook: undefined }, 'must provide webhook or webhook_from_env'],
  [{ webhook_from_env: 'TARGET' }, 'only one of webhook or webhook_from_env should be given'],
  [{ insert: { columns: [] } }, 'found empty column specification'],
  [{ insert: { columns: '*', payload: [] } }, 'found empty payload specification'],
  [{ name: '1st' }, 'only alphanumeric and underscore and hyphens allowed for name'],
  [{ name: 'a'.repeat(43) }, 'event trigger name can be at most 42 characters'],
])('an event trigger with %j is refused', async (wrong, reason) => {
  expect(await engine.refusal('pg_create_event_trigger', { ...trigger, ...wrong })).toEqual({
    code: 'parse-failed',
    error: `Error when parsing command create_event_trigger.\nSee our documentation at https://hasura.io/docs/latest/graphql/core/api-reference/metadata-api/index.html#metadata-apis.\nInternal error message: ${reason}`,
    path: '$.args',
  });
});

test('an event tells which trace the request was; its delivery has no headers of it', async () => {
  await engine.metadata('pg_create_event_trigger', trigger);
  await engine.graphql('mutation { insert_author_one(object: {name: "Ada"}) { id } }');
  const [delivery] = await target.waitFor(1);
  expect(delivery?.body).toMatchObject({
    event: { trace_context: { trace_id: expect.stringMatching(/^[0-9a-f]{32}$/), sampling_state: '1' } },
  });
  expect(Object.keys(delivery?.headers ?? {}).filter((name) => name.startsWith('x-b3'))).toEqual([]);
});

test('an event of run_sql tells who ran it', async () => {
  await fetch(`${engine.url}/v2/query`, {
    method: 'POST',
    headers: { 'x-hasura-admin-secret': ADMIN_SECRET, 'x-hasura-user-id': 'dba' },
    body: JSON.stringify({ type: 'run_sql', args: { sql: "INSERT INTO author (name) VALUES ('Bob')" } }),
  });
  const deliveries = await target.waitFor(2);
  expect(deliveries[1]?.body).toMatchObject({
    event: { session_variables: { 'x-hasura-role': 'admin', 'x-hasura-user-id': 'dba' } },
  });
});

test('clearing the metadata takes the event log out of the database; a new trigger brings it back', async () => {
  const hasLog = async () => {
    const [row] = await engine.database.query(
      "SELECT to_regclass('hdb_catalog.event_log') IS NOT NULL AS yes",
    );
    return row?.yes;
  };
  expect(await hasLog()).toBe(true);
  await engine.metadata('clear_metadata', {});
  expect(await hasLog()).toBe(false);
  await engine.database.query("INSERT INTO author (name) VALUES ('no trigger is left')");
  await engine.metadata('pg_track_table', { table: 'author' });
  await engine.metadata('pg_create_event_trigger', trigger);
  await engine.graphql('mutation { insert_author_one(object: {name: "Eve"}) { id } }');
  const deliveries = await target.waitFor(3);
  expect(deliveries[2]?.body).toMatchObject({ event: { data: { new: { name: 'Eve' } } } });
});
