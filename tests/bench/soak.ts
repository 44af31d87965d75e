/**
 * `npm run soak [events]`: a million signed deliveries (or as many as given) through one service, and
 * what it holds in memory meanwhile. Ends with status 1 where memory grows beyond the goal, or where an
 * event is not there exactly once.
 */
import { Client } from 'pg';
import { createDeliveries } from './deliveries.ts';
import { percentile, send } from './sender.ts';
import { describeMachine, openStand, residentMegabytes } from './stand.ts';

const EVENTS = Number(process.argv[2] ?? 1_000_000);
const AT_A_TIME = 20_000;
const IN_FLIGHT = 128;
const MOST_MEGABYTES = 200;

const stand = await openStand();
const database = new Client({ connectionString: stand.postgres.url });
await database.connect();
try {
  console.log(describeMachine(stand.postgres));
  const { url, child } = await stand.serve('services/identity/src/http/server.ts');
  const deliveries = createDeliveries('s', stand.secret);
  let most = 0;
  for (let sent = 0; sent < EVENTS; ) {
    const count = Math.min(AT_A_TIME, EVENTS - sent);
    const { statuses, seconds, latencies } = await send(url, deliveries.next(count), {
      inFlight: IN_FLIGHT,
      mostSeconds: Number.POSITIVE_INFINITY,
    });
    if (statuses.get(200) !== count) throw new Error(`Not all were taken: ${JSON.stringify([...statuses])}`);
    sent += count;
    const megabytes = residentMegabytes(child.pid);
    most = Math.max(most, megabytes);
    const p99 = percentile(latencies, 0.99).toFixed(0);
    console.log(
      `${sent} events: ${Math.round(count / seconds)}/s, p99 ${p99} ms, ${megabytes.toFixed(0)} MB`,
    );
  }
  const { rows } = await database.query<{ status: string; attempts: number; count: string }>(
    'select status, attempts, count(*) from identity.deliveries group by 1, 2',
  );
  console.log('the ledger:', rows);
  const [only] = rows;
  const isWhole = rows.length === 1 && only?.attempts === 1 && Number(only.count) === EVENTS;
  console.log(`most memory: ${most.toFixed(0)} MB`);
  if (!isWhole || most > MOST_MEGABYTES) process.exitCode = 1;
} finally {
  await database.end();
  await stand.close();
}
