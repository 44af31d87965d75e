-- Run once, as the superuser, when docker-compose.yml's PostgreSQL makes its empty data directory.
--
-- Hasura gets a database of its own, and a role that owns it and is nothing else: whoever gets hold of the
-- connection string or the admin secret runs no programs on the server, reads none of its files, and sees no
-- other database. Its owner may create what Hasura and the migrations need: schemas, tables, functions,
-- triggers, and trusted extensions such as pgcrypto.

-- psql takes it from the environment, and stops here where it is not set.
\getenv password HASURA_DATABASE_PASSWORD

CREATE ROLE hasura LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE DATABASE hasura OWNER hasura;
REVOKE ALL ON DATABASE hasura FROM PUBLIC;
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
