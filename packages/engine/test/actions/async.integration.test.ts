import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

const NEVER = new Promise<never>(() => {});
const started = z.object({ data: z.object({ make: z.string() }) });
const USER = { 'x-hasura-role': 'user', 'x-hasura-user-id': '1' };
const RESULT = 'query ($id: uuid!) { make(id: $id) { id errors output { id } created_at __typename } }';

let database: TestDatabase;
const closers: (() => Promise<unknown>)[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  database = await createDatabase();
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const close of closers.splice(0).reverse()) await close();
  await database.close();
});

async function receiver(...answer: Parameters<typeof startReceiver>): Promise<Receiver> {
  const made = await startReceiver(...answer);
  closers.push(made.close);
  return made;
}

async function engine(handler: Receiver): Promise<TestEngine> {
  const made = await startEngine({ HANDLER: handler.url }, database);
  closers.push(made.close);
  return made;
}

async function withAction(handler: Receiver): Promise<TestEngine> {
  const made = await engine(handler);
  await made.metadata('set_custom_types', {
    objects: [{ name: 'Made', fields: [{ name: 'id', type: 'Int!' }] }],
  });
  await made.metadata('create_action', {
    name: 'make',
    definition: {
      handler: '{{HANDLER}}',
      output_type: 'Made',
      kind: 'asynchronous',
      arguments: [{ name: 'size', type: 'Int' }],
    },
  });
  await made.metadata('create_action_permission', { action: 'make', role: 'user' });
  return made;
}

const start = async (made: TestEngine, headers: Record<string, string> = {}) =>
  started.parse((await made.graphql('mutation { make(size: 3) }', { headers })).body).data.make;

const finished = (made: TestEngine, id: string, headers: Record<string, string> = {}) =>
  until(async () => {
    const { body } = await made.graphql(RESULT, { variables: { id }, headers });
    const make = z.object({
      data: z.object({ make: z.looseObject({ output: z.unknown(), errors: z.unknown() }) }),
    });
    const result = make.parse(body).data.make;
    return result.output === null && result.errors === null ? undefined : result;
  });

describe('an asynchronous action', () => {
  it('gives an id at once and the output when the handler has answered', async () => {
    let answer: (value: object) => void = () => {};
    const handler = await receiver(() => new Promise((resolve) => (answer = (body) => resolve({ body }))));
    const made = await withAction(handler);
    const id = await start(made, USER);
    const [request] = await handler.waitFor(1);
    expect(request?.body).toEqual({
      action: { name: 'make' },
      input: { size: 3 },
      request_query: null,
      session_variables: USER,
    });
    const pending = await made.graphql(RESULT, { variables: { id }, headers: USER });
    expect(pending.body).toMatchObject({ data: { make: { id, errors: null, output: null } } });
    answer({ id: 7 });
    expect(await finished(made, id, USER)).toMatchObject({
      id,
      errors: null,
      output: { id: 7 },
      __typename: 'make',
    });
  });

  it('shows its result to the session that began it and to admins only', async () => {
    const made = await withAction(await receiver(() => ({ body: { id: 7 } })));
    const id = await start(made, USER);
    await finished(made, id);
    const seenBy = async (headers: Record<string, string>) =>
      (await made.graphql(RESULT, { variables: { id }, headers })).body;
    expect(await seenBy({ ...USER, 'x-hasura-user-id': '2' })).toEqual({ data: { make: null } });
    expect(await seenBy({ 'x-hasura-role': 'user' })).toEqual({ data: { make: null } });
    expect(await seenBy({ 'x-hasura-role': 'stranger' })).toMatchObject({ errors: [{}] });
  });

  it('gives an error without what happened inside', async () => {
    const handler = await receiver(() => ({ status: 400, body: { message: 'no', code: 'mine' } }));
    const made = await withAction(handler);
    expect(await finished(made, await start(made))).toMatchObject({
      output: null,
      errors: { code: 'mine', error: 'no', path: '$' },
    });
  });

  it('refuses an id that is none', async () => {
    const made = await withAction(await receiver());
    const { body } = await made.graphql(RESULT, { variables: { id: "' OR true" } });
    expect(body).toMatchObject({ errors: [{}] });
  });

  it('calls the handler once, however many engines there are', async () => {
    const handler = await receiver(() => ({ body: { id: 7 } }));
    const engines = [await withAction(handler), await engine(handler), await engine(handler)];
    const ids: string[] = [];
    for (let round = 0; round < 20; round++) {
      const made = engines[round % engines.length];
      if (made !== undefined) ids.push(await start(made));
    }
    for (const id of ids) for (const made of engines.slice(0, 1)) await finished(made, id);
    expect(handler.received).toHaveLength(20);
  });

  it('is called again by another engine when the one that called was killed', async () => {
    const handler = await receiver((_, index) => (index === 0 ? NEVER : { body: { id: 7 } }));
    const first = await withAction(handler);
    closers.pop();
    await first.close();
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/main.ts')], {
      env: {
        ...process.env,
        NODE_ENV: 'test',
        HANDLER: handler.url,
        HASURA_GRAPHQL_DATABASE_URL: database.url,
        HASURA_GRAPHQL_ADMIN_SECRET: ADMIN_SECRET,
        HASURA_GRAPHQL_SERVER_PORT: '0',
        HASURA_GRAPHQL_ASYNC_ACTIONS_FETCH_INTERVAL: '10',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    // Its first lines say that it is up; the call is then put where it looks.
    await once(createInterface(child.stdout), 'line');
    await database.query(
      `INSERT INTO hdb_catalog.hdb_action_log (action_name, input_payload, request_headers, session_variables, status)
       VALUES ('make', '{"size":3}', '{}', '{"x-hasura-role":"admin"}', 'created')`,
    );
    await handler.waitFor(1);
    child.kill('SIGKILL');
    await engine(handler);
    await handler.waitFor(2);
    await until(async () => {
      const [row] = await database.query('SELECT status FROM hdb_catalog.hdb_action_log');
      return row?.status === 'completed' ? true : undefined;
    });
  });
});
