/**
 * `node tests/bench/backfill.ts [users]`: how fast `latchkey sync backfill` brings a local directory of
 * 100,000 users (or as many as given) into empty tables, and into tables that hold a million users
 * already; what a drift over all of that takes; and what the command holds in memory meanwhile.
 */
import { join } from 'node:path';
import { startChild } from '@latchkey/local/processes/processes';
import { Client } from 'pg';
import { describeMachine, openStand, residentMegabytesOfChild, type Stand } from './stand.ts';

const USERS = Number(process.argv[2] ?? 100_000);
/** Already there in the second part: ten times as many. */
const PRESENT = 10 * USERS;
const ROUNDS = 3;
const PROGRAM = join(import.meta.dirname, '..', '..', 'scripts', 'latchkey.js');

interface Measured {
  readonly seconds: number;
  readonly rowsPerSecond: number;
  /** In the first and in the last third of the run, at most. */
  readonly megabytes: readonly [early: number, late: number];
}

const stand = await openStand();
const database = new Client({ connectionString: stand.postgres.url });
await database.connect();
try {
  console.log(describeMachine(stand.postgres));
  const clerk = await stand.serve('tests/bench/clerk-of-many.ts', { args: [String(USERS), '0'] });
  const empty: Measured[] = [];
  const full: Measured[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await database.query('TRUNCATE public.users, public.organizations, identity.reconciles CASCADE');
    empty.push(await measure(stand, clerk.url, 'backfill', USERS));
    show(`round ${round}: backfill into empty tables`, empty.at(-1));
    if (round === 1) show('the same again, nothing new', await measure(stand, clerk.url, 'backfill', USERS));
    if (round === 1) show('drift of nothing', await measure(stand, clerk.url, 'drift', USERS));
    // Turn by turn, so that a machine that is busy with other things is busy for both.
    await fill(database, PRESENT);
    full.push(await measure(stand, clerk.url, 'backfill', USERS));
    show(`round ${round}: backfill where ${PRESENT} users are`, full.at(-1));
  }
  const ratio = median(full.map((one) => one.rowsPerSecond)) / median(empty.map((one) => one.rowsPerSecond));
  console.log(`with ${PRESENT} users present the rate is ${ratio.toFixed(2)} of that into empty tables`);
} finally {
  await database.end();
  await stand.close();
}

async function measure(on: Stand, clerkUrl: string, task: string, rows: number): Promise<Measured> {
  const started = performance.now();
  const child = await startChild({
    name: `latchkey sync ${task}`,
    command: process.execPath,
    args: [PROGRAM, 'sync', task, '--quiet'],
    env: {
      PATH: process.env.PATH,
      HASURA_GRAPHQL_ENDPOINT: on.engine.url,
      HASURA_GRAPHQL_ADMIN_SECRET: on.engine.adminSecret,
      CLERK_WEBHOOK_SECRET: on.secret,
      CLERK_SECRET_KEY: 'sk_test_bench',
      CLERK_API_URL: clerkUrl,
    },
  });
  const samples: number[] = [];
  const sampling = setInterval(() => {
    try {
      const megabytes = residentMegabytesOfChild(child.pid);
      if (!Number.isNaN(megabytes)) samples.push(megabytes);
    } catch {
      // It has ended just now.
    }
  }, 100);
  const { code } = await child.exited;
  clearInterval(sampling);
  const seconds = (performance.now() - started) / 1000;
  const tail = child.tail();
  await child.stop();
  if (code !== 0) throw new Error(`latchkey sync ${task} ended with ${code}:\n${tail}`);
  const third = Math.ceil(samples.length / 3);
  return {
    seconds,
    rowsPerSecond: rows / seconds,
    megabytes: [Math.max(...samples.slice(0, third)), Math.max(...samples.slice(-third))],
  };
}

/** Exactly so many other users, as a backfill leaves them, on tables in good order. */
async function fill(client: Client, count: number): Promise<void> {
  await client.query('TRUNCATE public.users, public.organizations, identity.reconciles CASCADE');
  await client.query(
    `INSERT INTO public.users (id, provider, email, email_verified, username, name, first_name, last_name,
                               image_url, metadata, last_seen, source_created_at, source_updated_at)
     SELECT 'user_2' || substr(md5(n::text), 1, 26), 'clerk', 'present' || n || '@example.com', true,
            'present' || n, 'Ada Example ' || n, 'Ada', 'Example ' || n,
            'https://img.clerk.com/eyJ0eXBlIjoiZGVmYXVsdCIsImlpZCI6Imluc18yZXhhbXBsZSJ9',
            '{"plan": "free"}', now(), now(), now()
       FROM generate_series(1, $1::int) AS n`,
    [count],
  );
  await client.query('VACUUM (ANALYZE) public.users');
  await client.query('CHECKPOINT');
}

function show(what: string, measured: Measured | undefined): void {
  if (measured === undefined) return;
  const { seconds, rowsPerSecond, megabytes } = measured;
  const [early, late] = megabytes.map(Math.round);
  console.log(
    `${what}: ${Math.round(rowsPerSecond)} rows/s (${seconds.toFixed(1)} s), memory ${early} MB early, ${late} MB late`,
  );
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
