/**
 * A part of `npm run bench`: how many sessions a second the auth hook tells Hasura of, with the users' rows
 * looked at and without, on one engine and one PostgreSQL. Both take turns so short that whatever else the
 * machine does meets both alike. A round is many turns, longer than rows are remembered, so that each reads all
 * of them anew; the ratio is the median of the rounds, each compared within itself.
 */

import { createSigningKey } from '@latchkey/local/stand-ins/core';
import { Client } from 'pg';
import { serve as serveHttp } from '../support/http.ts';
import { spentBy, spentSince } from './processor-time.ts';
import { median, percentile, type Sent, send } from './sender.ts';
import { describeMachine, openStand, residentMegabytes, type Server } from './stand.ts';

const ROUNDS = 12;
const TURNS = 20;
const TURN_SECONDS = 0.3;
const WARM_UP_SECONDS = 3;
const IN_FLIGHT = 64;
const USERS = Number(process.argv[2] ?? 2_000);
const ORGANIZATIONS_OF_EACH = 3;

interface Contender {
  readonly name: string;
  readonly server: Server;
  readonly rounds: Round[];
}

interface Round {
  readonly sent: Sent[];
  /** Microseconds of processor time of the service, the engine and PostgreSQL. */
  readonly spent: number[];
}

const stand = await openStand();
const key = await createSigningKey('bench');
const issuer = await serveHttp((_request, response) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.publicJwk] }));
});
try {
  await writeUsers(stand.postgres.url);
  const requests = await Promise.all(Array.from({ length: USERS }, (_, index) => requestOf(idOf(index))));
  const env = { CLERK_FRONTEND_API_URL: issuer.url, LATCHKEY_CLAIMS: 'plan' };
  const start = async (name: string, args: string[]): Promise<Contender> => ({
    name,
    server: await stand.serve('services/identity/bench/hook-server.ts', { args, env }),
    rounds: [],
  });
  const ours = await start('with rows', []);
  const without = await start('without', ['without-rows']);
  const both = [ours, without];

  console.log(`${describeMachine(stand.postgres)}; ${USERS} users, ${IN_FLIGHT} in flight`);
  for (const { server } of both) await run(server, requests, WARM_UP_SECONDS);
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const one of both) one.rounds.push({ sent: [], spent: [0, 0, 0] });
    for (let turn = 1; turn <= TURNS; turn += 1) {
      for (const one of turn % 2 === 0 ? both : both.toReversed()) await takeTurn(one, requests);
    }
    console.log(
      `round ${round}: ${both.map(({ rounds }) => Math.round(rate(rounds.at(-1)))).join(', ')} requests/s`,
    );
  }
  report(ours, without);
} finally {
  await issuer.close();
  await stand.close();
}

function idOf(index: number): string {
  return `user_2kQ7xRmVbTzLcWfHyhook${String(index).padStart(8, '0')}`;
}

async function requestOf(id: string): Promise<Buffer> {
  const now = Math.floor(Date.now() / 1000);
  const token = await key.sign({
    iss: issuer.url,
    sub: id,
    iat: now,
    exp: now + 3_600,
    'https://hasura.io/jwt/claims': {
      'x-hasura-allowed-roles': ['user'],
      'x-hasura-default-role': 'user',
      'x-hasura-user-id': id,
      'x-hasura-org-id': 'org_0',
      'x-hasura-org-role': 'org:member',
    },
  });
  const body = JSON.stringify({ headers: { Authorization: `Bearer ${token}`, 'User-Agent': 'bench' } });
  return Buffer.from(
    [
      'POST /auth/hook HTTP/1.1',
      'host: 127.0.0.1',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

async function writeUsers(url: string): Promise<void> {
  const database = new Client({ connectionString: url });
  await database.connect();
  const ids = Array.from({ length: USERS }, (_, index) => idOf(index));
  await database.query(
    `insert into organizations (id, provider, source_updated_at)
       select 'org_' || n, 'clerk', now() from generate_series(0, $1 - 1) as n`,
    [ORGANIZATIONS_OF_EACH],
  );
  await database.query(
    `insert into users (id, provider, source_updated_at, metadata)
       select id, 'clerk', now(), '{"plan": "pro"}' from unnest($1::text[]) as id`,
    [ids],
  );
  await database.query(
    `insert into organization_memberships (organization_id, user_id, provider, role, source_updated_at)
       select organizations.id, users.id, 'clerk', 'org:member', now() from organizations, users`,
  );
  await database.end();
}

/** Of users in no order, as they come. */
function* inNoOrder(requests: readonly Buffer[]): Generator<Buffer> {
  for (;;) {
    const request = requests[Math.floor(Math.random() * requests.length)];
    if (request !== undefined) yield request;
  }
}

async function run({ url }: Server, requests: readonly Buffer[], mostSeconds: number): Promise<Sent> {
  const sent = await send(url, inNoOrder(requests), { inFlight: IN_FLIGHT, mostSeconds });
  for (const [status, times] of sent.statuses) {
    if (status !== 200) throw new Error(`The hook answered ${status} ${times} times.`);
  }
  return sent;
}

async function takeTurn({ server, rounds }: Contender, requests: readonly Buffer[]): Promise<void> {
  const processes = [server.child, stand.engine.child, stand.postgres.child].map(({ pid }) => pid);
  const before = processes.map(spentBy);
  const sent = await run(server, requests, TURN_SECONDS);
  const round = rounds.at(-1);
  round?.sent.push(sent);
  for (const [place, spent] of before.entries()) {
    if (round)
      round.spent[place] = (round.spent[place] ?? 0) + spentSince(spent, spentBy(processes[place] ?? 0));
  }
}

function count(round: Round): number {
  return round.sent.reduce((sum, { latencies }) => sum + latencies.length, 0);
}

function rate(round: Round | undefined): number {
  return round === undefined
    ? Number.NaN
    : count(round) / round.sent.reduce((sum, { seconds }) => sum + seconds, 0);
}

function report(ours: Contender, without: Contender): void {
  console.log('\n| | requests/s | median | p99 | processor time: service + engine + PostgreSQL | memory |');
  console.log('|---|---:|---:|---:|---:|---:|');
  for (const { name, server, rounds } of [ours, without]) {
    const turns = rounds.flatMap(({ sent }) => sent);
    const latency = (share: number) => median(turns.map(({ latencies }) => percentile(latencies, share)));
    const spent = (place: number) => median(rounds.map((round) => (round.spent[place] ?? 0) / count(round)));
    const cells = [
      name,
      Math.round(median(rounds.map(rate))),
      `${latency(0.5).toFixed(1)} ms`,
      `${latency(0.99).toFixed(1)} ms`,
      `${[0, 1, 2].map((place) => spent(place).toFixed(1)).join(' + ')} µs`,
      `${residentMegabytes(server.child.pid).toFixed(0)} MB`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const ratios = ours.rounds.map((round, index) => rate(round) / rate(without.rounds[index]));
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  console.log(
    `\nwith rows, of without: ${median(ratios).toFixed(3)} (rounds ${least.toFixed(2)} – ${most.toFixed(2)})`,
  );
}
