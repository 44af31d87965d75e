/**
 * `npm run bench:engine`: what the embedded engine costs over bare `pg` with the SQL it writes, with few
 * tables and with many. Both run in turns, so that a slow minute of the machine meets either.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@latchkey/local/postgres/postgres';
import { startChild } from '@latchkey/local/processes/processes';
import { type EngineProcess, startEngine } from '@latchkey/local/programs/engine';
import pg from 'pg';
import { z } from 'zod';
import { metadataOf, otherTablesSql, SQL } from './engine-project.ts';
import { median, send } from './sender.ts';
import { residentMegabytes } from './stand.ts';

const SECONDS = Number(process.argv[2] ?? 4);
const ROUNDS = Number(process.argv[3] ?? 3);
const IN_FLIGHT = 16;
const USER = 'user-7';
const NAMESPACE = 'https://hasura.io/jwt/claims';

interface Shape {
  readonly name: string;
  readonly goal: number;
  readonly query: string;
  readonly variables: readonly { readonly [name: string]: number }[];
  /** Of the statement, for those variables, in its order. */
  readonly values: (variables: { readonly [name: string]: number }) => string[];
}

const SHAPES: readonly Shape[] = [
  {
    name: 'by primary key',
    goal: 0.4,
    query: 'query ($id: Int!) { account_by_pk(id: $id) { id owner name email created_at } }',
    variables: Array.from({ length: 1000 }, (_, index) => ({ id: 7 + index * 10 })),
    values: ({ id = 0 }) => [USER, String(id)],
  },
  {
    name: '100 rows with an array relationship',
    goal: 0.6,
    query:
      'query ($from: Int!) { account(where: {id: {_gte: $from}}, order_by: {id: asc}, limit: 100) { id name email created_at purchases(order_by: {id: asc}) { id amount note } } }',
    variables: Array.from({ length: 100 }, (_, index) => ({ from: index * 50 })),
    values: ({ from = 0 }) => [USER, String(from), '100'],
  },
];

const signingKey = randomBytes(32).toString('hex');
const token = signed({
  sub: USER,
  iat: Math.floor(Date.now() / 1000),
  exp: Math.floor(Date.now() / 1000) + 86_400,
  [NAMESPACE]: {
    'x-hasura-allowed-roles': ['user'],
    'x-hasura-default-role': 'user',
    'x-hasura-user-id': USER,
  },
});

const postgres = await startPostgres();
try {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model.trim()}; Node ${process.version}, PostgreSQL ${postgres.version}; ` +
      `${IN_FLIGHT} in flight, ${ROUNDS} rounds of ${SECONDS} s, medians`,
  );
  const small = await prepare('small', false);
  const large = await prepare('large', true);
  try {
    for (const { name, engine, readyMs } of [small, large])
      console.log(
        `${name}: ready after ${readyMs.toFixed(0)} ms on an existing database (goal 1000), ` +
          `${residentMegabytes(engine.child.pid).toFixed(0)} MB then`,
      );
    for (const shape of SHAPES) await compare(shape, small, large);
    for (const { name, engine } of [small, large])
      console.log(`${name}: ${residentMegabytes(engine.child.pid).toFixed(0)} MB after all that (goal 150)`);
  } finally {
    await Promise.all([small.engine.close(), large.engine.close()]);
  }
} finally {
  await postgres.close();
}

interface Prepared {
  readonly name: string;
  readonly url: string;
  readonly engine: EngineProcess;
  readonly readyMs: number;
}

/** A database with its metadata, and an engine that was started on it afterwards. */
async function prepare(name: string, many: boolean): Promise<Prepared> {
  const url = Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href;
  await sql(postgres.url, `CREATE DATABASE ${name}`);
  await sql(url, SQL);
  if (many) await sql(url, otherTablesSql);
  const first = await start(url);
  await post(first.engine, '/v1/metadata', { type: 'replace_metadata', args: metadataOf(url, many) });
  await first.engine.close();
  const starts: Awaited<ReturnType<typeof start>>[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await starts.at(-1)?.engine.close();
    starts.push(await start(url));
  }
  const last = starts.at(-1);
  if (last === undefined) throw new Error('at least one round');
  return { name, url, engine: last.engine, readyMs: median(starts.map(({ readyMs }) => readyMs)) };
}

async function start(databaseUrl: string): Promise<{ engine: EngineProcess; readyMs: number }> {
  const begun = performance.now();
  let readyMs = Number.NaN;
  const engine = await startEngine({
    databaseUrl,
    adminSecret: signingKey,
    env: {
      HASURA_GRAPHQL_JWT_SECRET: JSON.stringify({ type: 'HS256', key: signingKey }),
    },
    onLine(line) {
      if (line.includes('listening on')) readyMs = performance.now() - begun;
    },
  });
  return { engine, readyMs };
}

async function compare(shape: Shape, small: Prepared, large: Prepared): Promise<void> {
  const { text, values } = await statementOf(shape, small);
  const bare: number[] = [];
  const few: number[] = [];
  const many: number[] = [];
  await throughput(shape, small.engine, 1);
  await throughput(shape, large.engine, 1);
  for (let round = 1; round <= ROUNDS; round += 1) {
    bare.push(await bareRate(small.url, text, values));
    few.push(await throughput(shape, small.engine, SECONDS));
    many.push(await throughput(shape, large.engine, SECONDS));
  }
  const [pgRate, fewRate, manyRate] = [median(bare), median(few), median(many)];
  console.log(
    `${shape.name}: bare pg ${pgRate.toFixed(0)}/s, engine ${fewRate.toFixed(0)}/s = ${(fewRate / pgRate).toFixed(2)} ` +
      `(goal ${shape.goal}); with 300 tables and 20 roles ${manyRate.toFixed(0)}/s = ${(manyRate / fewRate).toFixed(2)} of that (goal 0.9)`,
  );
}

/** The statement the engine runs, proven by its answer being the engine's. */
async function statementOf(shape: Shape, { engine, url }: Prepared) {
  const [variables] = shape.variables;
  if (variables === undefined) throw new Error('no variables');
  const query = { query: shape.query, variables };
  const user = { 'x-hasura-role': 'user', 'x-hasura-user-id': USER };
  const explained = z
    .array(z.object({ field: z.string(), sql: z.string() }))
    .parse(await post(engine, '/v1/graphql/explain', { query, user }));
  const text = explained[0]?.sql ?? '';
  const [row] = await sql(url, text, shape.values(variables));
  const bare = Object.values(row ?? {})[0];
  const { data } = z
    .object({ data: z.record(z.string(), z.unknown()) })
    .parse(await post(engine, '/v1/graphql', query, { Authorization: `Bearer ${token}` }));
  const answer = JSON.stringify(Object.values(data)[0]);
  if (answer.length < 50 || JSON.stringify(JSON.parse(String(bare))) !== answer)
    throw new Error(`not the engine's statement: ${text}\n${String(bare)}\n${answer}`);
  return { text, values: shape.variables.map(shape.values) };
}

async function bareRate(url: string, text: string, values: readonly string[][]): Promise<number> {
  let output = '';
  const child = await startChild({
    name: 'bare pg',
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'bare-pg.ts'),
      JSON.stringify({ url, text, values, inFlight: IN_FLIGHT, seconds: SECONDS }),
    ],
    env: {},
    onLine: (line) => {
      output += line;
    },
  });
  await child.exited;
  await child.stop();
  return z.object({ perSecond: z.number() }).parse(JSON.parse(output)).perSecond;
}

async function throughput(shape: Shape, engine: EngineProcess, seconds: number): Promise<number> {
  const requests = shape.variables.map((variables) => {
    const body = JSON.stringify({ query: shape.query, variables });
    return Buffer.from(
      `POST /v1/graphql HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n` +
        `Authorization: Bearer ${token}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
  const {
    latencies,
    statuses,
    seconds: took,
  } = await send(engine.url, forever(requests), {
    inFlight: IN_FLIGHT,
    mostSeconds: seconds,
  });
  if (statuses.size !== 1 || !statuses.has(200)) throw new Error(`answered ${[...statuses.keys()]}`);
  return latencies.length / took;
}

function* forever<Item>(items: readonly Item[]): Generator<Item> {
  for (;;) yield* items;
}

async function post(engine: EngineProcess, path: string, body: unknown, headers?: Record<string, string>) {
  const answer = await fetch(engine.url + path, {
    method: 'POST',
    headers: headers ?? { 'X-Hasura-Admin-Secret': signingKey },
    body: JSON.stringify(body),
  });
  const value: unknown = await answer.json();
  if (answer.status !== 200) throw new Error(`${path}: ${JSON.stringify(value)}`);
  return value;
}

async function sql(url: string, text: string, values?: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(text, values);
    return Array.isArray(result) ? [] : result.rows;
  } finally {
    await client.end();
  }
}

function signed(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const content = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${content}.${createHmac('sha256', signingKey).update(content).digest('base64url')}`;
}
