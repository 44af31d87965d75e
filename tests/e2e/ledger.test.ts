import { createMetadataApi, type MetadataApi } from '@latchkey/scripts/project/metadata-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { latchkey } from '../support/latchkey.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let api: MetadataApi;
beforeAll(async () => {
  stack = await startTestStack({ linked: true });
  api = createMetadataApi(stack.engine.url, stack.adminSecret);
});
afterAll(() => stack?.close());

const ROW = 'query ($id: String!) { identity_deliveries_by_pk(id: $id) { status attempts payload error } }';
const delivery = async (id: string) => (await stack.asAdmin(ROW, { id })).identity_deliveries_by_pk;

describe('latchkey replay', () => {
  const replay = (...args: string[]) =>
    latchkey(['replay', ...args], {
      HASURA_GRAPHQL_ENDPOINT: stack.engine.url,
      HASURA_GRAPHQL_ADMIN_SECRET: stack.adminSecret,
      ...definedOnly(stack.clerk.serviceEnvironment),
    });

  test('brings a dead delivery back to life, once what was in its way is gone', async () => {
    const { result: ada, message } = stack.change(() => stack.clerk.directory.signUp({ firstName: 'Ada' }));
    const id = message.id;
    // An id never changes hands.
    await stack.asAdmin(
      `mutation ($id: String!) {
        insert_users_one(object: {id: $id, provider: "casdoor", source_updated_at: "1970-01-01T00:00:00Z"}) { id }
      }`,
      { id: ada.id },
    );
    expect((await stack.clerk.webhooks.post(message)).status).toBe(400);
    expect(await delivery(id)).toMatchObject({ status: 'dead', attempts: 1, error: expect.any(String) });

    expect(await replay('--all', '--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(id),
    });
    expect(await replay('--id', id)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('still dead'),
    });
    expect(await delivery(id)).toMatchObject({ status: 'dead', attempts: 2 });

    await stack.asAdmin('mutation ($id: String!) { delete_users_by_pk(id: $id) { id } }', { id: ada.id });
    const { code, stdout } = await replay('--all', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { id, provider: 'clerk', type: 'user.created', status: 'applied', attempts: 3, error: null },
    ]);
    expect(await delivery(id)).toMatchObject({ status: 'applied', attempts: 3, error: null });
    const { users_by_pk: row } = await stack.asAdmin(
      'query ($id: String!) { users_by_pk(id: $id) { provider first_name } }',
      { id: ada.id },
    );
    expect(row).toEqual({ provider: 'clerk', first_name: 'Ada' });

    expect(await replay('--all')).toMatchObject({ code: 0, stdout: 'No delivery is dead.\n' });
    expect(await replay('--id', id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is applied'),
    });
  });

  test('tells what it takes, and that Hasura is not there', async () => {
    for (const args of [[], ['--all', '--id', 'x']]) {
      expect(await replay(...args)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--id <id> or --all'),
      });
    }
    const away = await latchkey(['replay', '--all'], {
      ...definedOnly(stack.clerk.serviceEnvironment),
      HASURA_GRAPHQL_ENDPOINT: 'http://127.0.0.1:9',
      HASURA_GRAPHQL_ADMIN_SECRET: 'x',
    });
    expect(away).toMatchObject({ code: 3, stderr: expect.stringContaining('HASURA_GRAPHQL_ENDPOINT') });
  });
});

describe('the engine calls the service', () => {
  /** Engines look for what is due every ten seconds or so. */
  const WAIT = { timeout: 25_000, interval: 100 };
  const SQL_RESULT = z.object({ result: z.array(z.array(z.string())) });

  test.each([
    ['latchkey_retention', '17'],
    ['latchkey_erasure', '29'],
    ['latchkey_reconcile', '41'],
  ])('at the times of %s', async (name, minute) => {
    const sql = `SELECT DISTINCT extract(minute FROM scheduled_time)::text FROM hdb_catalog.hdb_cron_events
      WHERE trigger_name = '${name}'`;
    const minutes = async () =>
      SQL_RESULT.parse(await api.query('run_sql', { sql, read_only: true })).result.slice(1);
    await expect.poll(minutes, WAIT).toEqual([[minute]]);
  });

  /** Once, now, as the cron trigger would. */
  const trigger = (job: string) =>
    api.metadata('create_scheduled_event', {
      webhook: `{{LATCHKEY_SERVICE_URL}}/jobs/${job}`,
      schedule_at: new Date().toISOString(),
      payload: {},
      headers: [{ name: 'x-latchkey-secret', value_from_env: 'LATCHKEY_ACTION_SECRET' }],
    });
  test('to erase what came late of a deleted user, remove what is old, and bring whom no webhook told of', async () => {
    const { directory } = stack.clerk;
    const { result: gone, message } = stack.change(() => directory.signUp({ firstName: 'Ada' }));
    await stack.deliver(stack.change(() => directory.deleteUser(gone.id)).message);
    await stack.deliver(message);
    expect(await delivery(message.id)).toMatchObject({ status: 'applied', payload: expect.anything() });
    await stack.asAdmin(
      `mutation { insert_identity_deliveries_one(object: {
        id: "old", provider: "clerk", type: "x", status: "dead", received_at: "2020-01-01T00:00:00Z"
      }) { id } }`,
    );
    const { result: missed } = stack.change(() => directory.signUp({ firstName: 'Missed' }));
    const row = async () =>
      (
        await stack.asAdmin('query ($id: String!) { users_by_pk(id: $id) { first_name } }', {
          id: missed.id,
        })
      ).users_by_pk;

    await Promise.all(['erasure', 'retention', 'reconcile'].map(trigger));
    await expect.poll(() => delivery(message.id), WAIT).toMatchObject({ status: 'applied', payload: null });
    await expect.poll(() => delivery('old'), WAIT).toBeNull();
    await expect.poll(row, WAIT).toEqual({ first_name: 'Missed' });
  });
});

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
