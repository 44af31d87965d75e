/** A process of its own that runs scheduled events, to be killed: `node scheduled-process.ts <database> <triggers>`. */
import pg from 'pg';
import { z } from 'zod';
import { readConfig } from '#base/config.ts';
import { silentLogger } from '#base/log.ts';
import { createScheduledRunner } from '#events/scheduled.ts';
import { cronTrigger } from '#metadata/types.ts';

const [database, triggers] = z.tuple([z.string(), z.string()]).parse(process.argv.slice(2));
const config = readConfig({ HASURA_GRAPHQL_DATABASE_URL: database });
const runner = createScheduledRunner(new pg.Pool({ connectionString: database }), config, silentLogger);
await runner.apply(z.array(cronTrigger).parse(JSON.parse(triggers)));
