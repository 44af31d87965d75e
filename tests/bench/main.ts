/**
 * `npm run bench`: how fast signed deliveries get into the database, against simpler ways of writing
 * them. All contenders run in turn, several times over, on one PostgreSQL and one engine; the median of
 * the rounds counts.
 */
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { median, percentile, type Sent, send } from './sender.ts';
import { describeMachine, openStand, residentMegabytes, type Server } from './stand.ts';

const ROUNDS = 5;
const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 3;
const IN_FLIGHT = 128;
/** Sent one after the other, in each round. */
const ALONE = 300;

interface Contender {
  readonly name: string;
  readonly server: Server;
  readonly deliveries: Deliveries;
  /** More than it can take in a round. */
  enough: number;
  readonly crowded: Sent[];
  readonly alone: Sent[];
}

const stand = await openStand();
try {
  const serve = stand.serve;
  const contender = (name: string, server: Server): Contender => ({
    name,
    server,
    deliveries: createDeliveries(name.replaceAll(/[^a-z]/g, '').slice(0, 6), stand.secret),
    enough: 20_000,
    crowded: [],
    alone: [],
  });
  const ours = contender('group commit', await serve('services/identity/http/server.ts'));
  const oneInTurn = contender(
    'in turn: one mutation per event',
    await serve('tests/bench/one-per-event.ts', { args: ['in-turn'] }),
  );
  const oneAtOnce = contender('at once: one mutation per event', await serve('tests/bench/one-per-event.ts'));
  const straight = contender(
    'pg: one upsert per event',
    await serve('tests/bench/straight-to-pg.ts', { args: [stand.postgres.url] }),
  );
  const all = [ours, oneInTurn, oneAtOnce, straight];

  console.log(describeMachine(stand.postgres));
  for (const one of all) {
    const warmUp = await run(one, one.enough, IN_FLIGHT, WARM_UP_SECONDS);
    one.enough = Math.ceil((1.5 * ROUND_SECONDS * warmUp.latencies.length) / warmUp.seconds);
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const one of all) {
      one.crowded.push(await run(one, one.enough, IN_FLIGHT, ROUND_SECONDS));
      console.log(`round ${round}: ${one.name}: ${Math.round(rateOf(one.crowded.slice(-1)))} events/s`);
    }
    for (const one of all) one.alone.push(await run(one, ALONE, 1, 60));
  }
  report(all, ours);
} finally {
  await stand.close();
}

async function run(one: Contender, count: number, inFlight: number, mostSeconds: number): Promise<Sent> {
  const requests = one.deliveries.next(count);
  const sent = await send(one.server.url, requests, { inFlight, mostSeconds });
  for (const [status, times] of sent.statuses) {
    if (status !== 204) throw new Error(`${one.name} answered ${status} ${times} times.`);
  }
  return sent;
}

function rateOf(rounds: readonly Sent[]): number {
  return median(rounds.map(({ latencies, seconds }) => latencies.length / seconds));
}

function at(rounds: readonly Sent[], share: number): number {
  return median(rounds.map(({ latencies }) => percentile(latencies, share)));
}

function report(all: readonly Contender[], ours: Contender): void {
  console.log(
    `\n| | events/s at ${IN_FLIGHT} | ours is | p99 at ${IN_FLIGHT} | median at 1 | p99 at 1 | memory |`,
  );
  console.log('|---|---:|---:|---:|---:|---:|---:|');
  for (const { name, crowded, alone, server } of all) {
    const cells = [
      name,
      Math.round(rateOf(crowded)),
      `${(rateOf(ours.crowded) / rateOf(crowded)).toFixed(2)} ×`,
      `${at(crowded, 0.99).toFixed(0)} ms`,
      `${at(alone, 0.5).toFixed(2)} ms`,
      `${at(alone, 0.99).toFixed(2)} ms`,
      `${residentMegabytes(server.child.pid).toFixed(0)} MB`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
