/** What the engine is measured on: two tables with their permissions, alone or among many. */

export const SQL = `
CREATE TABLE account (id integer PRIMARY KEY, owner text NOT NULL, name text NOT NULL, email text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE purchase (id integer PRIMARY KEY, account_id integer NOT NULL REFERENCES account, amount numeric NOT NULL,
  note text NOT NULL);
INSERT INTO account SELECT n, 'user-' || n % 10, 'Account ' || n, 'account' || n || '@example.com' FROM generate_series(1, 10000) n;
INSERT INTO purchase SELECT n, 1 + n % 10000, n % 997, 'purchase number ' || n FROM generate_series(1, 50000) n;
CREATE INDEX ON purchase (account_id);
ANALYZE;
`;

export const ROLES = Array.from({ length: 20 }, (_, index) => (index === 0 ? 'user' : `role_${index}`));
const OTHERS = 298;

export const otherTablesSql = Array.from(
  { length: OTHERS },
  (_, index) => `CREATE TABLE other_${index} (id serial PRIMARY KEY, account_id integer REFERENCES account,
    name text, value numeric, flags jsonb, created_at timestamptz);`,
).join('\n');

const select = (roles: readonly string[], filter: unknown) =>
  roles.map((role) => ({ role, permission: { columns: '*', filter, allow_aggregations: true } }));

/** `replace_metadata` with the two tables for one role, or with 298 more for twenty. */
export function metadataOf(databaseUrl: string, many: boolean): unknown {
  const roles = many ? ROLES : ROLES.slice(0, 1);
  const own = { owner: { _eq: 'X-Hasura-User-Id' } };
  const others = Array.from({ length: many ? OTHERS : 0 }, (_, index) => ({
    table: `other_${index}`,
    object_relationships: [{ name: 'account', using: { foreign_key_constraint_on: 'account_id' } }],
    select_permissions: select(roles, { account: own }),
    insert_permissions: roles.map((role) => ({
      role,
      permission: { columns: '*', check: { account: own } },
    })),
  }));
  return {
    version: 3,
    sources: [
      {
        name: 'default',
        kind: 'postgres',
        configuration: { connection_info: { database_url: databaseUrl } },
        tables: [
          {
            table: 'account',
            array_relationships: [
              {
                name: 'purchases',
                using: { foreign_key_constraint_on: { table: 'purchase', column: 'account_id' } },
              },
            ],
            select_permissions: select(roles, own),
          },
          { table: 'purchase', select_permissions: select(roles, {}) },
          ...others,
        ],
      },
    ],
  };
}
