/**
 * A handler as one would write it without Hasura: the same HTTP server, the same signature and the
 * same reading of the payload, then one upsert for each event on a pool of ten connections. It keeps
 * no ledger.
 *
 * Argument: the database's URL.
 */
import { Pool } from 'pg';
import { readConfig } from '../../services/identity/core/config.ts';
import { createEngine } from '../../services/identity/hasura/graphql.ts';
import { buildApp } from '../../services/identity/http/app.ts';
import { createLogger } from '../../services/identity/http/logger.ts';
import { loadProviders } from '../../services/identity/providers/registry.ts';
import { userRow } from '../../services/identity/sync/rows.ts';

const [, , connectionString] = process.argv;
if (connectionString === undefined)
  throw new Error('The database’s URL is missing: give it as the argument.');
const pool = new Pool({ connectionString, max: 10 });
const config = readConfig();
const engine = createEngine(config.engine);

const app = buildApp({
  providers: await loadProviders(config.providers, engine),
  writer: {
    async write({ records }) {
      for (const record of records) {
        if (record.kind !== 'user') continue;
        const row = Object.entries(userRow(record));
        const names = row.map(([name]) => name);
        const places = names.map((_, index) => `$${index + 1}`);
        const updates = names.map((name) => `${name} = excluded.${name}`);
        await pool.query({
          name: 'upsert',
          text: `insert into users (${names}) values (${places}) on conflict (id) do update set ${updates}`,
          values: row.map(([, value]) =>
            typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
          ),
        });
      }
      return { status: 'applied', error: null };
    },
    close: () => pool.end(),
  },
  engine,
  engineSecrets: config.engineSecrets,
  retentionDays: config.retentionDays,
  logger: createLogger(config.logLevel),
});
process.on('SIGTERM', () => void app.close());
await app.listen(config.http);
