/**
 * `npm run bench`: how fast signed deliveries get into the database, against simpler ways of writing
 * them. All contenders run in turn, several times over, on one PostgreSQL and one engine; the median of
 * the rounds counts.
 */
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { spentBy, spentSince } from './processor-time.ts';
import { median, percentile, type Sent, send } from './sender.ts';
import { describeMachine, openStand, residentMegabytes, type Server } from './stand.ts';

/** Many and short, so that a minute in which the machine is busy with other things meets all alike. */
const ROUNDS = 15;
const ROUND_SECONDS = 1.5;
const WARM_UP_SECONDS = 3;
const IN_FLIGHT = 128;
/** Sent one after the other, in each round. */
const ALONE = 100;

interface Contender {
  readonly name: string;
  readonly server: Server;
  readonly deliveries: Deliveries;
  /** More than it can take in a round. */
  enough: number;
  readonly crowded: Sent[];
  /** Microseconds of processor time per event, of the service, the engine and PostgreSQL, while crowded. */
  readonly spent: number[][];
  readonly alone: Sent[];
}

const stand = await openStand();
try {
  const serve = stand.serve;
  let letter = 'a'.charCodeAt(0);
  const contender = (name: string, server: Server): Contender => ({
    name,
    server,
    deliveries: createDeliveries(String.fromCharCode(letter++), stand.secret),
    enough: 20_000,
    crowded: [],
    spent: [],
    alone: [],
  });
  const ours = contender('group commit', await serve('services/identity/src/http/server.ts'));
  const all = [
    ours,
    contender(
      'group commit, two mutations under way',
      await serve('services/identity/src/http/server.ts', { env: { LATCHKEY_WRITES_IN_FLIGHT: '2' } }),
    ),
    contender(
      'one mutation per event, in turn',
      await serve('services/identity/bench/one-per-event.ts', { args: ['in-turn'] }),
    ),
    contender('one mutation per event, all at once', await serve('services/identity/bench/one-per-event.ts')),
    contender(
      '`pg`, one upsert per event',
      await serve('services/identity/bench/straight-to-pg.ts', { args: [stand.postgres.url] }),
    ),
    contender(
      '`pg`, one upsert and one ledger row per event',
      await serve('services/identity/bench/straight-to-pg.ts', { args: [stand.postgres.url, 'with-ledger'] }),
    ),
  ];

  console.log(describeMachine(stand.postgres));
  for (const one of all) {
    const warmUp = await run(one, one.enough, IN_FLIGHT, WARM_UP_SECONDS);
    one.enough = Math.ceil((1.5 * ROUND_SECONDS * warmUp.latencies.length) / warmUp.seconds);
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    // Each comes after each other one in turn: what one leaves to PostgreSQL, the next one pays for.
    const first = round % all.length;
    const inTurn = [...all.slice(first), ...all.slice(0, first)];
    for (const one of inTurn) {
      const processes = [one.server.child, stand.engine.child, stand.postgres.child].map(({ pid }) => pid);
      const before = processes.map(spentBy);
      const sent = await run(one, one.enough, IN_FLIGHT, ROUND_SECONDS);
      one.crowded.push(sent);
      const since = before.map((spent, index) => spentSince(spent, spentBy(processes[index] ?? 0)));
      one.spent.push(since.map((spent) => spent / sent.latencies.length));
    }
    for (const one of inTurn) one.alone.push(await run(one, ALONE, 1, 60));
    const rates = all.map(({ crowded }) => Math.round(rateOf(crowded.slice(-1))));
    console.log(`round ${round}: ${rates.join(', ')} events/s`);
  }
  report(all, ours);
} finally {
  await stand.close();
}

async function run(one: Contender, count: number, inFlight: number, mostSeconds: number): Promise<Sent> {
  const requests = one.deliveries.next(count);
  const sent = await send(one.server.url, requests, { inFlight, mostSeconds });
  for (const [status, times] of sent.statuses) {
    if (status !== 200) throw new Error(`${one.name} answered ${status} ${times} times.`);
  }
  return sent;
}

function rateOf(rounds: readonly Sent[]): number {
  return median(rounds.map(rate));
}

function rate({ latencies, seconds }: Sent): number {
  return latencies.length / seconds;
}

function at(rounds: readonly Sent[], share: number): number {
  return median(rounds.map(({ latencies }) => percentile(latencies, share)));
}

/** Of what two did in the same rounds. */
function ratio(rounds: readonly Sent[], others: readonly Sent[], of: (sent: Sent) => number): number {
  return median(
    rounds.flatMap((sent, index) => {
      const other = others[index];
      return other === undefined ? [] : [of(sent) / of(other)];
    }),
  );
}

function report(all: readonly Contender[], ours: Contender): void {
  const titles = [
    `events/s at ${IN_FLIGHT}`,
    'ours is',
    `p99 at ${IN_FLIGHT}`,
    'processor time: service + engine + PostgreSQL',
    'median at 1',
    'ours is',
    'memory',
  ];
  console.log(`\n| | ${titles.join(' | ')} |\n|---|${'---:|'.repeat(titles.length)}`);
  for (const { name, crowded, spent, alone, server } of all) {
    const cells = [
      name,
      Math.round(rateOf(crowded)),
      `${ratio(ours.crowded, crowded, rate).toFixed(2)} ×`,
      `${at(crowded, 0.99).toFixed(0)} ms`,
      `${[0, 1, 2].map((place) => median(spent.map((each) => each[place] ?? 0)).toFixed(0)).join(' + ')} µs`,
      `${at(alone, 0.5).toFixed(2)} ms`,
      `${ratio(ours.alone, alone, ({ latencies }) => percentile(latencies, 0.5)).toFixed(2)} ×`,
      `${residentMegabytes(server.child.pid).toFixed(0)} MB`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
