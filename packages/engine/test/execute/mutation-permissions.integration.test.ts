import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN_SESSION, createSession } from '#base/session.ts';
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
const importer = (backendOnly: boolean) => createSession('importer', {}, backendOnly);

const rows = () => core.sql('SELECT email, team_id, role, score, added_by FROM member ORDER BY id');
const NOT_FOUND = 'validation-failed $.selectionSet';
const CHECK_FAILED = 'check constraint of an insert/update permission has failed';

describe('a role may not', () => {
  const ON_EMAIL = 'on_conflict: {constraint: member_email_key, update_columns: [score]}';
  test.each([
    [
      'insert a row that does not satisfy the check',
      'insert_member(objects: {email: "d@x", team_id: 2}) { affected_rows }',
      `permission-error $.selectionSet.insert_member.args.objects ${CHECK_FAILED}`,
    ],
    [
      'insert rows of which one does not satisfy the check',
      'insert_member(objects: [{email: "d@x", team_id: 1}, {email: "e@x", team_id: 1, score: 10}]) { returning { id } }',
      `permission-error $.selectionSet.insert_member.args.objects ${CHECK_FAILED}`,
    ],
    [
      'insert such a row and be shown it',
      'insert_member_one(object: {email: "d@x", team_id: 2}) { id }',
      `permission-error $.selectionSet.insert_member_one.args.object ${CHECK_FAILED}`,
    ],
    [
      'give a value to a column that is preset',
      'insert_member(objects: {email: "d@x", team_id: 1, role: "owner"}) { affected_rows }',
      `${NOT_FOUND}.insert_member.args.objects[0].role field 'role' not found in type: 'member_insert_input'`,
    ],
    [
      'insert through a relationship into a table that it may not insert into',
      'insert_member(objects: {email: "d@x", team: {data: {name: "mine"}}}) { affected_rows }',
      `${NOT_FOUND}.insert_member.args.objects[0].team field 'team' not found in type: 'member_insert_input'`,
    ],
    [
      'insert into a table without insert permission',
      'insert_team(objects: {name: "mine"}) { affected_rows }',
      `${NOT_FOUND}.insert_team field 'insert_team' not found in type: 'mutation_root'`,
    ],
    [
      'update a column that is not in its list',
      'update_member(where: {}, _set: {team_id: 2}) { affected_rows }',
      `${NOT_FOUND}.update_member.args._set.team_id field 'team_id' not found in type: 'member_set_input'`,
    ],
    [
      'update a row to what the check forbids',
      'update_member(where: {}, _inc: {score: 100}) { affected_rows }',
      `permission-error $ ${CHECK_FAILED}`,
    ],
    [
      'see by the answer what it may not read',
      'update_member(where: {}, _inc: {score: 1}) { returning { tags } }',
      `${NOT_FOUND}.update_member.selectionSet.returning.selectionSet.tags field 'tags' not found in type: 'member'`,
    ],
    [
      'probe for what it may not read by a condition',
      'delete_member(where: {tags: {_is_null: true}}) { affected_rows }',
      `${NOT_FOUND}.delete_member.args.where.tags field 'tags' not found in type: 'member_bool_exp'`,
    ],
    [
      'update by an upsert to what the insert check forbids',
      `insert_member(objects: {email: "b@x", team_id: 2, score: 4}, on_conflict: {constraint: member_email_key, update_columns: [role]}) { affected_rows }`,
      `${NOT_FOUND}.insert_member.args.on_conflict.update_columns[0] expected one of the values ['email', 'score'] for type 'member_update_column', but found 'role'`,
    ],
    [
      'update by an upsert to what the update check forbids',
      `insert_member(objects: {email: "b@x", team_id: 1, score: 100}, ${ON_EMAIL}) { affected_rows }`,
      `permission-error $.selectionSet.insert_member.args.objects ${CHECK_FAILED}`,
    ],
  ])('%s', async (_name, field, failure) => {
    const before = await rows();
    expect(await core.failure(`mutation { ${field} }`, USER)).toBe(failure);
    expect(await rows()).toEqual(before);
  });

  test.each([
    ['update rows outside its filter', 'update_member(where: {}, _inc: {score: 1}) { affected_rows }', 1],
    [
      'update a row outside its filter by its key',
      'update_member_by_pk(pk_columns: {id: 3}, _inc: {score: 1}) { id }',
      null,
    ],
    ['delete rows outside its filter', 'delete_member(where: {}) { affected_rows }', 1],
    ['delete a row outside its filter by its key', 'delete_member_by_pk(id: 3) { id }', null],
    [
      'update a row outside its filter by an upsert',
      `insert_member(objects: {email: "a@x", team_id: 1, score: 9}, ${ON_EMAIL}) { affected_rows }`,
      0,
    ],
  ])('%s', async (_name, field, affected) => {
    const answer = await core.query(`mutation { answer: ${field} }`, USER);
    expect(answer).toEqual({ answer: affected === null ? null : { affected_rows: affected } });
    const untouched = await rows();
    expect(untouched).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ email: 'a@x', score: 5 }),
        expect.objectContaining({ email: 'c@x', score: 1 }),
      ]),
    );
  });
});

test('presets come from the session, on insert, update and upsert', async () => {
  await core.query('mutation { insert_member(objects: {email: "d@x", team_id: 1}) { affected_rows } }', USER);
  await core.query(
    'mutation { update_member(where: {email: {_eq: "b@x"}}, _inc: {score: 1}) { affected_rows } }',
    USER,
  );
  expect(await rows()).toEqual([
    { email: 'a@x', team_id: 1, role: 'owner', score: 5, added_by: null },
    { email: 'b@x', team_id: 1, role: 'guest', score: 4, added_by: 'u1' },
    { email: 'c@x', team_id: 2, role: 'guest', score: 1, added_by: null },
    { email: 'd@x', team_id: 1, role: 'guest', score: 0, added_by: 'u1' },
  ]);
});

test('a session variable that a rule needs and the session lacks is an error', async () => {
  expect(
    await core.failure(
      'mutation { insert_member(objects: {email: "d@x", team_id: 1}) { affected_rows } }',
      as('user', { 'x-hasura-team-id': '1' }),
    ),
  ).toBe('not-found $ missing session variable: "x-hasura-user-id"');
});

test('backend_only permissions count only for sessions that ask for them with the admin secret', async () => {
  const insert = 'mutation { insert_member(objects: {email: "d@x"}) { affected_rows } }';
  expect(await core.failure(insert, importer(false))).toBe('validation-failed $ no mutations exist');
  expect(await core.query(insert, importer(true))).toEqual({ insert_member: { affected_rows: 1 } });
});

test('a role that may write and not read gets no rows back, and can name no column in a condition', async () => {
  expect(
    await core.query('mutation { insert_member(objects: {email: "d@x"}) { affected_rows } }', WRITER),
  ).toEqual({
    insert_member: { affected_rows: 1 },
  });
  expect(
    await core.failure('mutation { insert_member(objects: {email: "e@x"}) { returning { id } } }', WRITER),
  ).toContain("field 'returning' not found in type: 'member_mutation_response'");
  expect(
    await core.failure('mutation { insert_member_one(object: {email: "e@x"}) { id } }', WRITER),
  ).toContain("field 'insert_member_one' not found in type: 'mutation_root'");
  expect(
    await core.failure('mutation { delete_member(where: {email: {_eq: "a@x"}}) { affected_rows } }', WRITER),
  ).toContain("field 'email' not found in type: 'member_bool_exp'");
  expect(await core.query('mutation { delete_member(where: {}) { affected_rows } }', WRITER)).toEqual({
    delete_member: { affected_rows: 4 },
  });
});

test('a role without update permission can ignore a conflict, but not update', async () => {
  const upsert = (columns: string) =>
    `mutation { insert_member(objects: {email: "a@x"}, on_conflict: {constraint: member_email_key, update_columns: [${columns}]}) { affected_rows } }`;
  expect(await core.query(upsert(''), WRITER)).toEqual({ insert_member: { affected_rows: 0 } });
  expect(await core.failure(upsert('_PLACEHOLDER'), WRITER)).toContain('erroneous column name');
  expect(await core.failure(upsert('email'), WRITER)).toContain("but found 'email'");
});

test('fields run in order, and all is undone where one fails', async () => {
  const before = await rows();
  expect(
    await core.failure(`mutation {
      insert_team(objects: {name: "green"}) { affected_rows }
      update_member(where: {}, _set: {score: 0}) { affected_rows }
      again: insert_team(objects: {name: "green"}) { affected_rows }
    }`),
  ).toBe(
    'constraint-violation $.selectionSet.insert_team.args.objects Uniqueness violation. duplicate key value violates unique constraint "team_name_key"',
  );
  expect(await rows()).toEqual(before);
  expect(
    await core.query(`mutation {
      insert_team_one(object: {name: "green"}) { id }
      delete_team(where: {name: {_eq: "green"}}) { affected_rows }
    }`),
  ).toMatchObject({ delete_team: { affected_rows: 1 } });
});

test('an update of nothing answers without writing', async () => {
  expect(
    await core.query('mutation { update_member(where: {}, _set: {}) { affected_rows returning { id } } }'),
  ).toEqual({ update_member: { affected_rows: 0, returning: [] } });
});

test('the generated column cannot be given, and a trigger can read who asks', async () => {
  expect(
    await core.failure('mutation { insert_member(objects: {shout: "X"}) { affected_rows } }', ADMIN_SESSION),
  ).toContain("field 'shout' not found in type: 'member_insert_input'");
  await core.sql(`
    CREATE FUNCTION note_who() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.added_by := current_setting('hasura.user')::json ->> 'x-hasura-role'; RETURN NEW; END $$;
    CREATE TRIGGER note_who BEFORE INSERT ON member FOR EACH ROW EXECUTE FUNCTION note_who();
  `);
  try {
    expect(await core.query('mutation { insert_member_one(object: {email: "d@x"}) { added_by } }')).toEqual({
      insert_member_one: { added_by: 'admin' },
    });
  } finally {
    await core.sql('DROP TRIGGER note_who ON member; DROP FUNCTION note_who');
  }
});
