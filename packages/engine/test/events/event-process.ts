/** A process of its own that delivers events, to be killed: `node event-process.ts <database> <metadata>`. */
import pg from 'pg';
import { z } from 'zod';
import { readConfig } from '#base/config.ts';
import { silentLogger } from '#base/log.ts';
import { createEventWorkers } from '#events/workers.ts';
import { metadata } from '#metadata/types.ts';
import { readCatalog } from '#postgres/read-catalog.ts';

const [database, text] = z.tuple([z.string(), z.string()]).parse(process.argv.slice(2));
const config = readConfig({ HASURA_GRAPHQL_DATABASE_URL: database });
const pool = new pg.Pool({ connectionString: database });
const parsed = metadata.parse(JSON.parse(text));
const catalog = await readCatalog(pool);
await createEventWorkers(pool, config, silentLogger).apply(
  parsed,
  parsed.sources.map((source) => ({ metadata: source, pool, catalog })),
);
