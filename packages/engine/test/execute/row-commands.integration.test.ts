import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EngineError } from '#base/errors.ts';
import { ADMIN_SESSION, type Session } from '#base/session.ts';
import type { RowCommand } from '#execute/operation.ts';
import { as, startCore, type TestCore } from '../support/core.ts';
import { WRITE_ROWS, WRITE_SOURCE, WRITE_SQL } from '../support/write-sample.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(WRITE_SQL, WRITE_SOURCE);
});
afterAll(() => core.close());
beforeEach(() => core.sql(WRITE_ROWS));

const USER = as('user', { 'x-hasura-team-id': '1', 'x-hasura-user-id': 'u1' });
const WRITER = as('writer');

async function refusal(type: RowCommand, args: unknown, session: Session = ADMIN_SESSION): Promise<string> {
  const error: unknown = await core.rows(type, args, session).catch((thrown: unknown) => thrown);
  if (!(error instanceof EngineError)) throw new Error(`expected an error, got ${JSON.stringify(error)}`);
  return `${error.code} ${error.path} ${error.message}`;
}

describe('select', () => {
  test('reads columns, wildcards and related rows', async () => {
    expect(
      await core.rows('select', {
        table: 'team',
        columns: [
          'name',
          { name: 'members', alias: 'who', columns: ['email'], order_by: '-email', limit: 1 },
        ],
        where: { members: { score: { $gt: 2 } } },
      }),
    ).toEqual([{ name: 'red', who: [{ email: 'b@x' }] }]);
    expect(await core.rows('select', { table: 'team', columns: ['*.*'], where: { name: 'blue' } })).toEqual([
      {
        id: 2,
        name: 'blue',
        settings: {},
        budget: null,
        members: [expect.objectContaining({ email: 'c@x', team_id: 2 })],
      },
    ]);
  });

  test('says which item of a list does not fit', async () => {
    expect(
      await refusal('select', { table: 'member', columns: ['email'], where: { id: { $in: [1, true] } } }),
    ).toBe(
      'parse-failed $.where.id["$in"][1] parsing Integer expected for input type: PGBigInt failed, expected Number, but encountered Boolean',
    );
  });

  test('sorts by a related row', async () => {
    expect(
      await core.rows('select', { table: 'member', columns: ['email'], order_by: ['+team.name', '-id'] }),
    ).toEqual([{ email: 'c@x' }, { email: 'b@x' }, { email: 'a@x' }]);
  });

  test('shows only what the role may read', async () => {
    const all = { table: 'member', columns: ['email', { name: 'team', columns: ['*'] }], order_by: 'id' };
    expect(await core.rows('select', all, USER)).toEqual([
      { email: 'a@x', team: { id: 1, name: 'red' } },
      { email: 'b@x', team: { id: 1, name: 'red' } },
    ]);
    expect(await refusal('select', { table: 'member', columns: ['tags'] }, USER)).toBe(
      'permission-denied $.columns[0] role "user" does not have permission to select column "tags"',
    );
    expect(
      await refusal(
        'select',
        { table: 'member', columns: ['id'], where: { tags: { $is_null: true } } },
        USER,
      ),
    ).toBe('permission-denied $.where.tags role "user" does not have permission to select column "tags"');
    expect(await refusal('select', { table: 'team', columns: ['id'] }, WRITER)).toBe(
      'permission-denied $ select on "team" for role "writer" is not allowed. ',
    );
  });
});

test('count counts rows, or distinct values, that the role may see', async () => {
  expect(await core.rows('count', { table: 'member' })).toEqual({ count: 3 });
  expect(await core.rows('count', { table: 'member' }, USER)).toEqual({ count: 2 });
  expect(await core.rows('count', { table: 'member', distinct: ['team_id'] })).toEqual({ count: 2 });
});

describe('insert', () => {
  test('writes rows with presets and answers with the columns asked for', async () => {
    const args = {
      table: 'member',
      objects: [{ email: 'd@x', team_id: 1 }],
      returning: ['email', 'added_by'],
    };
    expect(await core.rows('insert', args, USER)).toEqual({
      affected_rows: 1,
      returning: [{ email: 'd@x', added_by: 'u1' }],
    });
  });

  test('refuses what the check forbids, and a value for a preset', async () => {
    const insert = (object: unknown) => refusal('insert', { table: 'member', objects: [object] }, USER);
    expect(await insert({ email: 'd@x', team_id: 2 })).toBe(
      'permission-error $ check constraint of an insert/update permission has failed',
    );
    expect(await insert({ email: 'd@x', role: 'owner' })).toBe(
      'not-supported $.objects[0] column "role" is not insertable for role "user"',
    );
  });

  test('updates or ignores what is in conflict, within the update permission', async () => {
    const upsert = (object: unknown, session: Session, action = 'update') =>
      core.rows(
        'insert',
        { table: 'member', objects: [object], on_conflict: { constraint_on: 'email', action } },
        session,
      );
    expect(await upsert({ email: 'a@x', score: 9 }, ADMIN_SESSION, 'ignore')).toEqual({ affected_rows: 0 });
    expect(await upsert({ email: 'a@x', score: 9 }, ADMIN_SESSION)).toEqual({ affected_rows: 1 });
    await expect(upsert({ email: 'a@x' }, WRITER)).rejects.toThrow('upsert is not allowed for role "writer"');
    await expect(upsert({ email: 'b@x', team_id: 1 }, USER)).rejects.toThrow(
      'column "team_id" is not updatable',
    );
  });
});

describe('update and delete', () => {
  test('change the rows that the condition and the permission choose', async () => {
    const update = {
      table: 'member',
      where: { score: { $gte: 0 } },
      $inc: { score: 1 },
      returning: ['email'],
    };
    expect(await core.rows('update', update, USER)).toEqual({
      affected_rows: 1,
      returning: [{ email: 'b@x' }],
    });
    expect(await core.rows('update', { table: 'member', where: { id: 3 }, $mul: { score: 4 } })).toEqual({
      affected_rows: 1,
    });
    expect(await core.rows('update', { table: 'member', where: { id: 2 }, $default: ['score'] })).toEqual({
      affected_rows: 1,
    });
    expect(await core.sql('SELECT score FROM member ORDER BY id')).toEqual([
      { score: 5 },
      { score: 0 },
      { score: 4 },
    ]);
    expect(await core.rows('delete', { table: 'member', where: {} }, USER)).toEqual({ affected_rows: 1 });
  });

  test('are refused without the permissions they need', async () => {
    expect(await refusal('update', { table: 'member', where: {}, $set: { team_id: 2 } }, USER)).toBe(
      'permission-denied $["$set"] role "user" does not have permission to update column "team_id"',
    );
    expect(await refusal('update', { table: 'member', where: {}, $set: { score: 100 } }, USER)).toBe(
      'permission-error $ check constraint of an insert/update permission has failed',
    );
    expect(await refusal('delete', { table: 'member', where: {} }, WRITER)).toContain(
      'permission-denied $ select on "member" for role "writer" is not allowed. ; "delete" is only allowed',
    );
    expect(await refusal('delete', { table: 'nowhere', where: {} })).toBe(
      'not-exists $ table "nowhere" does not exist',
    );
  });
});
