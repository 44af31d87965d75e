import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN_SESSION, type Session } from '#base/session.ts';
import { as, startCore, type TestCore } from '../support/core.ts';
import { WRITE_ROWS, WRITE_SOURCE, WRITE_SQL } from '../support/write-sample.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(WRITE_SQL, WRITE_SOURCE);
});
afterAll(() => core.close());
beforeEach(() => core.sql(WRITE_ROWS));

const USER = as('user', { 'x-hasura-team-id': '1', 'x-hasura-user-id': 'u1' });

interface Shape {
  readonly name: string;
  readonly query: string;
  readonly session?: Session;
  readonly variables?: Record<string, unknown>;
}

const SHAPES: readonly Shape[] = [
  {
    name: 'insert one',
    query: 'mutation { insert_team_one(object: {name: "green", settings: {a: 1}}) { id name settings } }',
  },
  {
    name: 'insert many',
    query:
      'mutation ($rows: [member_insert_input!]!) { insert_member(objects: $rows) { affected_rows returning { email score } } }',
    variables: {
      rows: [
        { email: 'd@x', score: 1 },
        { email: 'e@x', score: 2 },
      ],
    },
  },
  {
    name: 'insert many with differing columns',
    query:
      'mutation { insert_member(objects: [{email: "d@x"}, {score: 7, tags: ["a", "b"]}, {}]) { returning { id email score role tags } } }',
  },
  {
    name: 'insert with relationships in the answer',
    query:
      'mutation { insert_member(objects: {email: "d@x", team_id: 2}) { returning { team { name members { email } } } } }',
  },
  {
    name: 'insert through relationships',
    query:
      'mutation { insert_team(objects: {name: "green", members: {data: [{email: "d@x"}, {email: "e@x"}]}}) { affected_rows returning { name members { email team_id } } } }',
  },
  {
    name: 'insert of an object before the row',
    query:
      'mutation { insert_member_one(object: {email: "d@x", team: {data: {name: "red"}, on_conflict: {constraint: team_name_key, update_columns: [name]}}}) { team_id team { name } } }',
  },
  {
    name: 'upsert with a condition',
    query:
      'mutation { insert_member(objects: [{email: "a@x", score: 9}, {email: "b@x", score: 9}], on_conflict: {constraint: member_email_key, update_columns: [score], where: {score: {_lt: 4}}}) { affected_rows returning { email score } } }',
  },
  {
    name: 'insert under a permission',
    query:
      'mutation { insert_member(objects: {email: "d@x", team_id: 1}) { returning { email role added_by } } }',
    session: USER,
  },
  {
    name: 'upsert under permissions',
    query:
      'mutation { insert_member(objects: [{email: "b@x", team_id: 1, score: 4}, {email: "a@x", team_id: 1, score: 4}], on_conflict: {constraint: member_email_key, update_columns: [score]}) { affected_rows returning { email score added_by } } }',
    session: USER,
  },
  {
    name: 'update',
    query:
      'mutation { update_member(where: {team: {name: {_eq: "red"}}}, _set: {role: "boss"}, _inc: {score: 2}) { affected_rows returning { email role score } } }',
  },
  {
    name: 'update of json',
    query:
      'mutation { update_team(where: {id: {_eq: 1}}, _append: {settings: {more: 1}}) { affected_rows } a: update_team(where: {id: {_eq: 1}}, _delete_key: {settings: "open"}) { affected_rows } b: update_team(where: {id: {_eq: 1}}, _delete_at_path: {settings: ["list", "0"]}) { returning { settings } } }',
  },
  {
    name: 'update by primary key under a permission',
    query:
      'mutation ($score: Int!) { update_member_by_pk(pk_columns: {id: 2}, _set: {score: $score}) { email score added_by team { name } } }',
    session: USER,
    variables: { score: 50 },
  },
  {
    name: 'insert that may be left out',
    query:
      'mutation { insert_team(objects: [{name: "red"}, {name: "green"}], on_conflict: {constraint: team_name_key, update_columns: []}) { affected_rows returning { name } } }',
  },
  {
    name: 'insert of defaults',
    query: 'mutation { insert_member_one(object: {}) { id role score } }',
  },
  {
    name: 'insert through relationships on both sides',
    query:
      'mutation { insert_member_one(object: {email: "d@x", team: {data: {name: "green", members: {data: [{email: "e@x"}], on_conflict: {constraint: member_email_key, update_columns: [score]}}}}}) { email team { name members(order_by: {id: asc}) { email } } } }',
  },
  {
    name: 'update of json in the other ways',
    query:
      'mutation { update_team(where: {id: {_eq: 1}}, _prepend: {settings: {first: 0}}) { affected_rows } a: update_team(where: {id: {_eq: 1}}, _set: {settings: ["x", "y"]}) { affected_rows } b: update_team(where: {id: {_eq: 1}}, _delete_elem: {settings: 0}) { returning { settings } } }',
  },
  {
    name: 'update that answers with aggregates of related rows',
    query:
      'mutation { update_team_by_pk(pk_columns: {id: 1}, _inc: {budget: 1}) { name members_aggregate { aggregate { count max { score } } } } }',
  },
  {
    name: 'several fields in one transaction',
    query:
      'mutation { add: insert_team_one(object: {name: "green"}) { id } __typename change: update_member_by_pk(pk_columns: {id: 1}, _inc: {score: 1}) { score } remove: delete_member(where: {id: {_eq: 3}}) { affected_rows } }',
  },
  {
    name: 'delete across a relationship',
    query:
      'mutation { delete_member(where: {team: {name: {_eq: "blue"}}}) { returning { email team { name } } } }',
  },
  {
    name: 'several updates under a permission',
    query:
      'mutation { update_member_many(updates: [{where: {email: {_eq: "b@x"}}, _set: {score: 10}}, {where: {}, _inc: {score: 1}}]) { affected_rows returning { email score } } }',
    session: USER,
  },
  {
    name: 'several updates',
    query:
      'mutation { update_member_many(updates: [{where: {id: {_eq: 1}}, _set: {score: 10}}, {where: {score: {_eq: 10}}, _inc: {score: 1}}]) { affected_rows returning { score } } }',
  },
  {
    name: 'delete',
    query: 'mutation { delete_member(where: {score: {_gt: 2}}) { affected_rows returning { email } } }',
  },
  {
    name: 'delete by primary key under a permission',
    query: 'mutation { delete_member_by_pk(id: 2) { email } owner: delete_member_by_pk(id: 1) { email } }',
    session: USER,
  },
  {
    name: 'function as a mutation',
    query:
      'mutation { raise_scores(args: {points: 10}, where: {team_id: {_eq: 1}}, order_by: {id: asc}) { email score } }',
  },
  {
    name: 'view',
    query: 'mutation { insert_small_team(objects: {name: "green"}) { affected_rows returning { id name } } }',
  },
];

describe('a mutation becomes statements, and answers', () => {
  test.each(SHAPES)('$name', async ({ name, query, session = ADMIN_SESSION, variables = {} }) => {
    core.statements();
    const result = await core.query(query, session, variables);
    const statements = core
      .statements()
      .flatMap(({ text, values }) => [
        '-- runs',
        text.replaceAll(/ (SELECT|FROM|VALUES|ON CONFLICT|DO UPDATE|SET|WHERE|RETURNING) /g, '\n  $1 '),
        '-- with',
        JSON.stringify(values),
      ]);
    const fixture = [
      `-- ${session.role} asks`,
      query,
      ...(Object.keys(variables).length === 0 ? [] : ['-- with', JSON.stringify(variables)]),
      ...statements,
      '-- answers',
      JSON.stringify(result, undefined, 1),
    ].join('\n');
    await expect(`${fixture}\n`).toMatchFileSnapshot(
      `../fixtures/mutations/${name.replaceAll(/[^a-z]+/g, '-')}.txt`,
    );
  });
});
