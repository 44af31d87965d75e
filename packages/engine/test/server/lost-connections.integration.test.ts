/** Connections to the database that are all in use, that break under load, or whose clients leave. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

const CONNECTIONS = 3;
/** What `gate` waits for. */
const LOCK = 4711;

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ HASURA_GRAPHQL_PG_CONNECTIONS: String(CONNECTIONS) });
  await engine.database.query(`
    CREATE TABLE item (id integer PRIMARY KEY, n integer);
    INSERT INTO item VALUES (1, 0);
    CREATE FUNCTION gate() RETURNS SETOF item VOLATILE LANGUAGE sql AS
      $$ SELECT item.* FROM item, (SELECT pg_advisory_xact_lock_shared(${LOCK})) AS passed $$;
  `);
  await engine.metadata('pg_track_table', { source: 'default', table: 'item' });
  await engine.metadata('pg_track_function', {
    source: 'default',
    function: 'gate',
    configuration: { exposed_as: 'query' },
  });
});
afterAll(() => engine.close());

/** The engine's connections of this database in a state. */
async function connections(state: string): Promise<unknown[]> {
  return engine.database.query(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'hasura-embedded'
      AND datname = current_database() AND state = $1 AND query LIKE '%public%'`,
    [state],
  );
}
const none = async (state: string) => ((await connections(state)).length === 0 ? true : undefined);
const GATE = '{ gate { id } }';
const PASSED = { data: { gate: [{ id: 1 }] } };

test('requests wait for a connection while all are in use', async () => {
  await engine.database.query(`SELECT pg_advisory_lock(${LOCK})`);
  const answers = Array.from({ length: 40 }, () => engine.graphql(GATE));
  await until(async () => ((await connections('active')).length === CONNECTIONS ? true : undefined));
  await engine.database.query(`SELECT pg_advisory_unlock(${LOCK})`);
  for (const { body } of await Promise.all(answers)) expect(body).toEqual(PASSED);
  await until(() => none('active'));
});

test('a client that leaves gives its connection back once the statement has ended', async () => {
  await engine.database.query(`SELECT pg_advisory_lock(${LOCK})`);
  const leaving = new AbortController();
  const requests = Array.from({ length: CONNECTIONS }, () =>
    fetch(`${engine.url}/v1/graphql`, {
      method: 'POST',
      headers: { 'x-hasura-admin-secret': ADMIN_SECRET },
      body: JSON.stringify({ query: GATE }),
      signal: leaving.signal,
    }).catch(() => {}),
  );
  await until(async () => ((await connections('active')).length === CONNECTIONS ? true : undefined));
  leaving.abort();
  await Promise.all(requests);
  await engine.database.query(`SELECT pg_advisory_unlock(${LOCK})`);
  expect((await engine.graphql(GATE)).body).toEqual(PASSED);
  await until(() => none('active'));
});

test('connections that break under load fail their requests alone, and are replaced', async () => {
  let stopped = false;
  const bodies: unknown[] = [];
  const load = Array.from({ length: 6 }, async () => {
    while (!stopped) {
      const query = '{ item { id } }';
      const change = 'mutation { update_item(where: {}, _inc: {n: 1}) { affected_rows } }';
      for (const text of [query, change]) bodies.push((await engine.graphql(text)).body);
    }
  });
  for (let round = 0; round < 5; round += 1) {
    const seen = bodies.length;
    await until(async () => (bodies.length > seen + 20 ? true : undefined));
    await engine.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'hasura-embedded' AND datname = current_database()`,
    );
  }
  const broken = bodies.length;
  await until(async () => (bodies.length > broken + 20 ? true : undefined));
  stopped = true;
  await Promise.all(load);
  for (const body of bodies)
    expect(JSON.stringify(body)).toMatch(/^\{"data":|"message":"(connection error|database query error)"/);
  expect(bodies.slice(-10)).toEqual(bodies.slice(-10).map(() => ({ data: expect.anything() })));
  await until(() => none('idle in transaction'));
});
