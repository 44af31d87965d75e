import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
const BIG = '9007199254740993';
const NUMERIC = '12345678901234567890.123456789';

beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query('CREATE TABLE account (id bigint PRIMARY KEY, amount numeric, extra jsonb)');
  await engine.metadata('pg_track_table', { table: 'account' });
}, 60_000);
afterAll(() => engine?.close());

/** Bodies and answers as text: JavaScript's own numbers would lose digits. */
async function send(path: string, body: string): Promise<string> {
  const answer = await fetch(engine.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': ADMIN_SECRET },
    body,
  });
  return answer.text();
}
const command = (type: string, args: string) => send('/v1/query', `{"type":"${type}","args":${args}}`);

describe('long numbers in commands on rows', () => {
  it('keep their digits on the way in and out', async () => {
    const inserted = await command(
      'insert',
      `{"table":"account","objects":[{"id":${BIG},"amount":${NUMERIC},"extra":{"deep":[${BIG}]}},
        {"id":9007199254740992,"amount":1}],"returning":["id"]}`,
    );
    expect(inserted).toBe(`{"returning":[{"id":${BIG}},{"id":9007199254740992}],"affected_rows":2}`);
    expect(
      await engine.database.query('SELECT id::text, amount::text FROM account ORDER BY id DESC'),
    ).toEqual([
      { id: BIG, amount: NUMERIC },
      { id: '9007199254740992', amount: expect.stringMatching(/^1(\.0)?$/) },
    ]);
    const columns = '"columns":["id","amount","extra"]';
    const row = `{"id":${BIG},"amount":${NUMERIC},"extra":{"deep": [${BIG}]}}`.replaceAll(': ', ':');
    for (const where of [
      `{"id":${BIG}}`,
      `{"id":{"$eq":${BIG}}}`,
      `{"amount":{"_gt":12345678901234567890.1}}`,
    ])
      expect(await command('select', `{"table":"account",${columns},"where":${where}}`)).toBe(`[${row}]`);
    expect(await command('count', `{"table":"account","where":{"id":{"$in":[${BIG}]}}}`)).toBe('{"count":1}');
  });

  it('choose and change the row they name, and no other', async () => {
    const updated = await command(
      'update',
      `{"table":"account","where":{"id":${BIG}},"$set":{"amount":${NUMERIC}},"returning":["id","amount"]}`,
    );
    expect(updated).toBe(`{"returning":[{"id":${BIG},"amount":${NUMERIC}}],"affected_rows":1}`);
    const raised = await command(
      'update',
      `{"table":"account","where":{"id":${BIG}},"$inc":{"amount":0.000000001},"returning":["amount"]}`,
    );
    expect(raised).toBe('{"returning":[{"amount":12345678901234567890.1234567900}],"affected_rows":1}');
    expect(await command('delete', `{"table":"account","where":{"id":${BIG}},"returning":["id"]}`)).toBe(
      `{"returning":[{"id":${BIG}}],"affected_rows":1}`,
    );
    expect(await engine.database.query('SELECT id::text FROM account')).toEqual([{ id: '9007199254740992' }]);
  });

  it('do not disturb commands that know ordinary numbers only', async () => {
    const bulk = `[{"type":"create_query_collection","args":{"name":"c","definition":{"queries":[]}}},
      {"type":"insert","args":{"table":"account","objects":[{"id":${BIG}}]}}]`;
    expect(await command('bulk', bulk)).toBe('[{"message":"success"},{"affected_rows":1}]');
  });
});
