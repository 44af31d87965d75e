/** A process of its own that delivers events, to be killed: `node event-process.ts <database> <metadata>`. */
import pg from 'pg';
import { z } from 'zod';
import { readCatalog } from '../../../../../hasura/embedded/catalog/read.ts';
import { readConfig } from '../../../../../hasura/embedded/config.ts';
import { createEventEngine } from '../../../../../hasura/embedded/events/index.ts';
import { silentLogger } from '../../../../../hasura/embedded/log.ts';
import { metadata } from '../../../../../hasura/embedded/metadata/types.ts';

const [database, text] = z.tuple([z.string(), z.string()]).parse(process.argv.slice(2));
const config = readConfig({ HASURA_GRAPHQL_DATABASE_URL: database });
const pool = new pg.Pool({ connectionString: database });
const parsed = metadata.parse(JSON.parse(text));
const catalog = await readCatalog(pool);
await createEventEngine(pool, config, silentLogger).apply(
  parsed,
  parsed.sources.map((source) => ({ metadata: source, pool, catalog })),
);
