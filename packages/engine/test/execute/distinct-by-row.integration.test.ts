/** `distinct_on` by columns that an inherited role sees in some rows only: PostgreSQL wants to sort by the same. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { as, startCore, type TestCore } from '../support/core.ts';

const permission = (role: string, filter: unknown, columns: readonly string[]) => ({
  role,
  permission: { columns, filter },
});

let core: TestCore;
beforeAll(async () => {
  core = await startCore(
    `CREATE TABLE shelf (id int PRIMARY KEY);
     CREATE TABLE book (id int PRIMARY KEY, shelf_id int REFERENCES shelf, kind text, owner text, public boolean);
     INSERT INTO shelf VALUES (1), (2);
     INSERT INTO book VALUES (1, 1, 'b', 'ada', false), (2, 1, 'a', 'bob', true), (3, 1, 'a', 'ada', true),
       (4, 2, 'c', 'ada', false), (5, 2, 'c', 'ada', true);`,
    {
      tables: [
        {
          table: 'shelf',
          array_relationships: [
            { name: 'books', using: { foreign_key_constraint_on: { table: 'book', column: 'shelf_id' } } },
          ],
          select_permissions: [permission('owner', {}, ['id']), permission('guest', {}, ['id'])],
        },
        {
          table: 'book',
          select_permissions: [
            permission('owner', { owner: { _eq: 'X-Hasura-User-Id' }, kind: { _neq: 'z' } }, ['id', 'kind']),
            permission('guest', { public: { _eq: true }, kind: { _in: ['a', 'b', 'c'] } }, ['id']),
          ],
        },
      ],
    },
    { metadata: { inherited_roles: [{ role_name: 'both', role_set: ['owner', 'guest'] }] } },
  );
});
afterAll(() => core.close());

const session = as('both', { 'x-hasura-user-id': 'ada' });
const ROWS = 'distinct_on: kind, order_by: [{kind: asc}, {id: desc}]';

test('of related rows', async () => {
  expect(await core.query(`{shelf(order_by: {id: asc}){books(${ROWS}){id kind}}}`, session)).toEqual({
    shelf: [
      {
        books: [
          { id: 3, kind: 'a' },
          { id: 1, kind: 'b' },
          { id: 2, kind: null },
        ],
      },
      { books: [{ id: 5, kind: 'c' }] },
    ],
  });
});

test('of the root, and without an order', async () => {
  expect(await core.query(`{book(${ROWS}){id}}`, session)).toEqual({
    book: [{ id: 3 }, { id: 1 }, { id: 5 }, { id: 2 }],
  });
  expect(await core.query('{shelf{books(distinct_on: kind){kind}}}', session)).toMatchObject({
    shelf: [{ books: [{ kind: 'a' }, { kind: 'b' }, { kind: null }] }, {}],
  });
});
