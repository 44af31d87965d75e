/** What each switch of a permission takes away: fields that are not there cannot be asked for. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSession } from '#base/session.ts';
import { as, startCore, type TestCore } from '../support/core.ts';

const SQL = `
CREATE TABLE note (id integer PRIMARY KEY, body text NOT NULL);
INSERT INTO note SELECT n, 'note ' || n FROM generate_series(1, 5) n;
CREATE FUNCTION note_loud(line note) RETURNS text STABLE LANGUAGE sql AS $$ SELECT upper(line.body) $$;
CREATE FUNCTION note_size(line note) RETURNS integer STABLE LANGUAGE sql AS $$ SELECT length(line.body) $$;
`;

const select = (role: string, extra: Record<string, unknown> = {}) => ({
  role,
  permission: { columns: ['id', 'body'], filter: {}, ...extra },
});

const SOURCE = {
  tables: [
    {
      table: 'note',
      computed_fields: [
        { name: 'loud', definition: { function: 'note_loud' } },
        { name: 'size', definition: { function: 'note_size' } },
      ],
      select_permissions: [
        select('plain'),
        select('few', { limit: 2, allow_aggregations: true }),
        select('counting', { allow_aggregations: true }),
        select('loud', { computed_fields: ['loud'] }),
        select('by_key', { query_root_fields: ['select_by_pk'], subscription_root_fields: [] }),
        select('streaming', { query_root_fields: [], subscription_root_fields: ['select_stream'] }),
      ],
      update_permissions: [
        { role: 'plain', permission: { columns: ['body'], filter: {}, check: {}, backend_only: true } },
      ],
      delete_permissions: [{ role: 'plain', permission: { filter: {}, backend_only: true } }],
    },
  ],
};

describe('a role', () => {
  let core: TestCore;
  beforeAll(async () => {
    core = await startCore(SQL, SOURCE);
  });
  afterAll(() => core.close());

  const fieldsOf = async (root: 'queryType' | 'subscriptionType' | 'mutationType', role: string) => {
    const answer = await core.query(`{ __schema { ${root} { fields { name } } } }`, as(role));
    return JSON.stringify(answer).match(/(?<="name":")\w+/g) ?? [];
  };

  test('is told of directives and their arguments in the order of Hasura’s source', async () => {
    const answer = await core.query('{ __schema { directives { name args { name } } } }', as('plain'));
    const args = (...names: string[]) => names.map((name) => ({ name }));
    expect(answer).toEqual({
      __schema: {
        directives: [
          { name: 'include', args: args('if') },
          { name: 'skip', args: args('if') },
          { name: 'cached', args: args('ttl', 'refresh') },
        ],
      },
    });
  });

  test('gets no more rows at a time than its limit, however it asks', async () => {
    const two = [{ id: 1 }, { id: 2 }];
    expect(await core.query('{ note(order_by: {id: asc}) { id } }', as('few'))).toEqual({ note: two });
    expect(await core.query('{ note(limit: 4, order_by: {id: asc}) { id } }', as('few'))).toEqual({
      note: two,
    });
    expect(await core.query('{ note(limit: 1, order_by: {id: asc}) { id } }', as('few'))).toEqual({
      note: [{ id: 1 }],
    });
    expect(await core.query('{ note_aggregate(order_by: {id: asc}) { nodes { id } } }', as('few'))).toEqual({
      note_aggregate: { nodes: two },
    });
  });

  test('aggregates only where it may', async () => {
    expect(await fieldsOf('queryType', 'counting')).toEqual(['note', 'note_aggregate', 'note_by_pk']);
    expect(await core.query('{ note_aggregate { aggregate { count } } }', as('counting'))).toEqual({
      note_aggregate: { aggregate: { count: 5 } },
    });
    expect(await fieldsOf('queryType', 'plain')).toEqual(['note', 'note_by_pk']);
    expect(await core.failure('{ note_aggregate { aggregate { count } } }', as('plain'))).toMatch(
      /field 'note_aggregate' not found/,
    );
  });

  test('sees the computed fields it was given, and can filter by no others', async () => {
    expect(await core.query('{ note(limit: 1) { loud } }', as('loud'))).toEqual({
      note: [{ loud: 'NOTE 1' }],
    });
    for (const query of [
      '{ note { size } }',
      '{ note(where: {size: {_gt: 1}}) { id } }',
      '{ note(order_by: {size: asc}) { id } }',
    ])
      expect(await core.failure(query, as('loud'))).toMatch(/^validation-failed .*'size'/);
  });

  test('has the root fields it was given, in queries and in subscriptions', async () => {
    expect(await fieldsOf('queryType', 'by_key')).toEqual(['note_by_pk']);
    expect(await core.query('{ note_by_pk(id: 2) { body } }', as('by_key'))).toEqual({
      note_by_pk: { body: 'note 2' },
    });
    expect(await core.failure('{ note { id } }', as('by_key'))).toMatch(/field 'note' not found/);
    expect(() => core.subscription('subscription { note { id } }', as('by_key'))).toThrow();
    expect(await fieldsOf('subscriptionType', 'streaming')).toEqual(['note_stream']);
    expect(await core.failure('{ note { id } }', as('streaming'))).toMatch(/field 'note' not found/);
  });

  test('updates and deletes by backend_only permissions only where the session asks for them', async () => {
    const mutation = 'mutation { update_note_by_pk(pk_columns: {id: 5}, _set: {body: "new"}) { body } }';
    expect(await core.failure(mutation, as('plain'))).toBe('validation-failed $ no mutations exist');
    expect(await core.query(mutation, createSession('plain', {}, true))).toEqual({
      update_note_by_pk: { body: 'new' },
    });
    const removal = 'mutation { delete_note_by_pk(id: 5) { id } }';
    expect(await core.failure(removal, as('plain'))).toBe('validation-failed $ no mutations exist');
    expect(await core.query(removal, createSession('plain', {}, true))).toEqual({
      delete_note_by_pk: { id: 5 },
    });
  });
});
