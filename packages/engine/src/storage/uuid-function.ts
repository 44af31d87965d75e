/** What Hasura's tables make their ids with. PostgreSQL 12 has `gen_random_uuid` in an extension only. */
export const UUID_FUNCTION = `
DO $$ BEGIN
  IF to_regprocedure('gen_random_uuid()') IS NULL THEN CREATE EXTENSION IF NOT EXISTS pgcrypto; END IF;
END $$;
CREATE OR REPLACE FUNCTION hdb_catalog.gen_hasura_uuid() RETURNS uuid AS 'select gen_random_uuid()' LANGUAGE sql;`;
