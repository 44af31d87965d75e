/** Tables whose permissions ask a webhook whether a client's input may be written. */
import type { TestEngine } from './engine.ts';

/** `validate_input` of a permission: the webhook at `path` of `{{HOOK}}`. */
const at = (path: string, more: object = {}) => ({
  type: 'http',
  definition: { url: `{{HOOK}}/${path}`, ...more },
});

/** Creates and tracks them, for the role `user`. */
export async function createValidatedTables(engine: TestEngine): Promise<void> {
  await engine.database.query(`
    CREATE TABLE author (id serial PRIMARY KEY, name text, number bigint, tags text[], extra jsonb, owner text);
    CREATE TABLE article (id serial PRIMARY KEY, author_id integer REFERENCES author (id), title text);
    CREATE TABLE free (id serial PRIMARY KEY, name text)`);
  for (const table of ['author', 'article', 'free']) await engine.metadata('pg_track_table', { table });
  await engine.metadata('pg_set_table_customization', {
    table: 'author',
    configuration: { column_config: { name: { custom_name: 'called' } } },
  });
  await engine.metadata('pg_create_array_relationship', {
    table: 'author',
    name: 'articles',
    using: { foreign_key_constraint_on: { table: 'article', column: 'author_id' } },
  });
  await engine.metadata('pg_create_object_relationship', {
    table: 'article',
    name: 'author',
    using: { foreign_key_constraint_on: 'author_id' },
  });
  const permit = (table: string, kind: string, permission: object) =>
    engine.metadata(`pg_create_${kind}_permission`, { table, role: 'user', permission });
  for (const table of ['author', 'article', 'free']) {
    await permit(table, 'select', { columns: '*', filter: {} });
    await permit(table, 'insert', {
      columns: table === 'author' ? ['id', 'name', 'number', 'tags', 'extra'] : '*',
      check: {},
      ...(table === 'author' ? { set: { owner: 'x-hasura-user-id' } } : {}),
      ...(table === 'free' ? {} : { validate_input: at(`insert-${table}`) }),
    });
  }
  await permit('author', 'update', {
    columns: ['name', 'number'],
    filter: {},
    validate_input: at('update', {
      timeout: 1,
      forward_client_headers: true,
      headers: [
        { name: 'x-secret', value_from_env: 'SECRET' },
        { name: 'x-team', value: 'red' },
      ],
    }),
  });
  await permit('author', 'delete', { filter: {}, validate_input: at('delete') });
}
