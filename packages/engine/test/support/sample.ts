/** A small database with most of what metadata can say about it. */
export const SAMPLE_SQL = `
CREATE TABLE author (id serial PRIMARY KEY, name text NOT NULL, rating numeric, tags text[], profile jsonb);
CREATE TABLE article (
  id bigserial PRIMARY KEY, author_id integer REFERENCES author, title text NOT NULL, published boolean NOT NULL DEFAULT false,
  score float8, created_at timestamptz NOT NULL DEFAULT '2024-01-01T00:00:00Z'
);
INSERT INTO author (name, rating, tags, profile) VALUES
  ('Ada', 4.5, '{math,code}', '{"city": "London", "langs": ["en", "fr"]}'),
  ('Bob', NULL, '{}', '{}'),
  ('Cy', 3, NULL, NULL);
INSERT INTO article (author_id, title, published, score) VALUES
  (1, 'Engines', true, 1.5), (1, 'Notes', false, 2.5), (2, 'Bees', true, NULL), (NULL, 'Orphan', true, 0.5);
CREATE FUNCTION author_shout(author_row author, mark text DEFAULT '!') RETURNS text STABLE LANGUAGE sql
  AS $$ SELECT upper(author_row.name) || mark $$;
CREATE FUNCTION author_letters(author_row author) RETURNS integer STABLE LANGUAGE sql AS $$ SELECT length(author_row.name) $$;
CREATE FUNCTION author_recent(author_row author) RETURNS SETOF article STABLE LANGUAGE sql
  AS $$ SELECT * FROM article WHERE author_id = author_row.id ORDER BY id DESC LIMIT 1 $$;
CREATE FUNCTION search_articles(term text, session json) RETURNS SETOF article STABLE LANGUAGE sql
  AS $$ SELECT * FROM article WHERE title ILIKE '%' || term || '%' AND session IS NOT NULL $$;
`;

export const SAMPLE_SOURCE = {
  tables: [
    {
      table: 'author',
      array_relationships: [
        { name: 'articles', using: { foreign_key_constraint_on: { table: 'article', column: 'author_id' } } },
      ],
      computed_fields: [
        { name: 'shout', definition: { function: 'author_shout' } },
        { name: 'letters', definition: { function: 'author_letters' } },
        { name: 'recent', definition: { function: 'author_recent' } },
      ],
      select_permissions: [
        {
          role: 'user',
          permission: {
            columns: ['id', 'name'],
            computed_fields: ['shout'],
            filter: { id: { _eq: 'X-Hasura-User-Id' } },
            allow_aggregations: true,
          },
        },
        {
          role: 'reader',
          permission: { columns: ['name'], filter: { articles: { published: { _eq: true } } } },
        },
      ],
    },
    {
      table: 'article',
      object_relationships: [{ name: 'author', using: { foreign_key_constraint_on: 'author_id' } }],
      select_permissions: [
        {
          role: 'user',
          permission: {
            columns: ['id', 'title', 'author_id'],
            filter: { _or: [{ published: { _eq: true } }, { author_id: { _eq: 'X-Hasura-User-Id' } }] },
            limit: 2,
            allow_aggregations: true,
          },
        },
        { role: 'reader', permission: { columns: ['title'], filter: { published: { _eq: true } } } },
      ],
    },
  ],
  functions: [{ function: 'search_articles', configuration: { session_argument: 'session' } }],
};
