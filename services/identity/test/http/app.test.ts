import { request as httpRequest } from 'node:http';
import { LatchkeyError } from '@latchkey/core/errors';
import { fixture, signed } from '@latchkey/tests/support/clerk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LedgerEntry } from '#core/deliveries.ts';
import type { IdentityRecord } from '#core/records.ts';
import { DELETION_LIMIT } from '#core/settings/deletion-limit.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { buildApp } from '#http/app.ts';
import { createLogger } from '#http/logger.ts';
import { createClerk } from '#providers/clerk/index.ts';
import { CONFIG } from '../support/clerk.ts';

let written: { readonly delivery: LedgerEntry; readonly records: readonly IdentityRecord[] }[];
let logged: string;
let commit: (delivery: LedgerEntry) => Promise<LedgerEntry>;
let checkTables: HasuraClient['checkTables'];
let app: ReturnType<typeof buildApp>;

beforeEach(() => {
  written = [];
  logged = '';
  commit = async (delivery) => delivery;
  checkTables = async () => ({
    identity_deliveries: [],
    organizations: [],
    users: [],
    organization_memberships: [],
  });
  const clerk = createClerk(CONFIG);
  app = buildApp({
    providers: new Map([['clerk', clerk]]),
    writer: {
      write: () => Promise.reject(new Error('Nothing but deliveries is written here.')),
      async writeDelivery(delivery, records) {
        const committed = await commit(delivery);
        written.push({ delivery, records });
        return committed;
      },
      close: async () => {},
    },
    engine: {
      checkTables: () => checkTables(),
      request: () => Promise.reject(new Error('Nothing is requested here.')),
    },
    engineSecrets: [],
    retentionDays: 30,
    deletionLimit: DELETION_LIMIT,
    logger: createLogger('trace', {
      write(line) {
        logged += line;
      },
    }),
  });
});
afterEach(() => app.close());

const post = (payload: string, headers: Record<string, string> = signed(payload)) =>
  app.inject({ method: 'POST', url: '/webhooks/clerk', headers, payload });
const created = fixture('user.created.json');

describe('POST /webhooks/clerk', () => {
  test('answers 200 once the delivery is written', async () => {
    const answer = await post(created);
    // Casdoor files a record of any answer but 200.
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'applied' }]);
    expect(written).toMatchObject([
      { delivery: { id: 'msg_1', status: 'applied', type: 'user.created' }, records: [{ kind: 'user' }] },
    ]);
  });

  test('does not answer before it is written', async () => {
    let release = () => {};
    commit = (delivery) =>
      new Promise((resolve) => {
        release = () => resolve(delivery);
      });
    let isAnswered = false;
    const answer = post(created).then((response) => {
      isAnswered = true;
      return response.statusCode;
    });
    await expect.poll(() => String(release)).toContain('resolve');
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    release();
    expect(await answer).toBe(200);
  });

  test('answers 200 to an event that is of no interest, and records it as ignored', async () => {
    const body = JSON.stringify({ type: 'email.created', data: { id: 'ema_1', otp_code: '424242' } });
    expect((await post(body)).statusCode).toBe(200);
    expect(written).toMatchObject([{ delivery: { status: 'ignored', payload: null }, records: [] }]);
  });

  test.each<[string, Record<string, string>]>([
    ['without a signature', { 'content-type': 'application/json' }],
    ['with another’s signature', signed(created, { secret: `whsec_${btoa('x'.repeat(32))}` })],
    ['with a stale signature', signed(created, { at: new Date(Date.now() - 301_000) })],
    ['with a signature from the future', signed(created, { at: new Date(Date.now() + 302_000) })],
    ['with the signature of another body', signed(`${created} `)],
  ])('answers 401 to a request %s, and writes nothing', async (_what, headers) => {
    const answer = await post(created, headers);
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual({
      code: 'signature-invalid',
      message: expect.stringContaining('CLERK_WEBHOOK_SECRET'),
    });
    expect(written).toEqual([]);
  });

  test('answers 400 to malformed JSON that is really signed, each time, and keeps it as dead', async () => {
    for (const _time of [1, 2]) {
      const answer = await post('{"type":"user.created",');
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ code: 'payload-malformed' });
    }
    // Not its text: that may hold what must not be kept.
    const dead = { id: 'msg_1', status: 'dead', payload: null };
    expect(written).toMatchObject([{ delivery: dead }, { delivery: dead }]);
  });

  test('answers 400 to what the database refuses', async () => {
    const error = 'permission-error: users belongs to provider casdoor';
    commit = async (delivery) => ({ ...delivery, status: 'dead', error });
    const answer = await post(created);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().message).toContain('belongs to provider casdoor');
  });

  test.each([
    'application/json; charset=utf-8',
    'text/plain',
    'application/x-www-form-urlencoded',
    undefined,
  ])('goes by the signature, not by the content type %s', async (type) => {
    const { 'content-type': _, ...headers } = signed(created);
    const answer = await post(created, type === undefined ? headers : { ...headers, 'content-type': type });
    expect(answer.statusCode).toBe(200);
  });

  test('takes an empty body for what it is', async () => {
    expect((await post('')).statusCode).toBe(400);
    expect(written).toMatchObject([{ delivery: { status: 'dead', payload: null } }]);
  });

  test.each(['engine-unreachable', 'engine-refused', 'engine-busy', 'queue-full', 'shutting-down'] as const)(
    'answers 503 with Retry-After to %s, saying nothing of the inside',
    async (code) => {
      commit = () => Promise.reject(new LatchkeyError(code, 'at http://10.0.0.7:8080'));
      const answer = await post(created);
      expect(answer.statusCode).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.json()).toEqual({
        code: 'unavailable',
        message: 'Nothing was stored. Send it again later.',
      });
      expect(logged).toContain('10.0.0.7');
    },
  );

  test('answers 500 to the unforeseen, saying nothing of the inside', async () => {
    commit = () => Promise.reject(new Error('undefined is not a function'));
    const answer = await post(created);
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toEqual({ code: 'internal', message: expect.not.stringContaining('undefined') });
    expect(logged).toContain('undefined is not a function');
  });

  test('logs ids, and nothing personal', async () => {
    await post(created);
    await post(fixture('organizationMembership.created.json'), {});
    await post('{"email":"ada@example.com"');
    await app.inject({ method: 'GET', url: '/nowhere?token=hunter2' });
    expect(logged).toContain('msg_1');
    expect(logged).not.toMatch(/ada|Ada|Example|203\.0\.113|127\.0\.0\.1|hunter2|whsec_|v1,/);
  });
});

describe('a body over 1 MiB', () => {
  const large = JSON.stringify({ type: 'user.created', data: { id: 'x'.repeat(1024 * 1024) } });

  test('is answered 413 by what its length says', async () => {
    const answer = await post(large);
    expect(answer.statusCode).toBe(413);
    expect(answer.json()).toMatchObject({ code: 'payload-too-large' });
    expect(written).toEqual([]);
  });

  test('is answered 413 where its length is not said', async () => {
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const status = await new Promise((resolve, reject) => {
      const sent = httpRequest(
        `${url}/webhooks/clerk`,
        { method: 'POST', headers: signed(large) },
        (answer) => {
          resolve(answer.statusCode);
          answer.resume();
        },
      );
      sent.on('error', reject);
      sent.write(large.slice(0, 600_000));
      sent.end(large.slice(600_000));
    });
    expect(status).toBe(413);
    expect(written).toEqual([]);
  });

  test('and one of exactly 1 MiB is not', async () => {
    const padding = ' '.repeat(1024 * 1024 - Buffer.byteLength(created));
    expect((await post(created + padding)).statusCode).toBe(200);
  });
});

test('there is nothing at other addresses', async () => {
  for (const [method, url] of [
    ['GET', '/webhooks/clerk'],
    ['POST', '/webhooks/casdoor'],
    ['GET', '/'],
  ] as const) {
    const answer = await app.inject({ method, url });
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'not-found']);
  }
});

test('/healthz says that the process is alive, whatever the engine does', async () => {
  checkTables = () => Promise.reject(new LatchkeyError('engine-unreachable', 'gone'));
  expect((await app.inject('/healthz')).statusCode).toBe(200);
});

test('/readyz says what fails, and the fix', async () => {
  expect((await app.inject('/readyz')).statusCode).toBe(200);
  checkTables = () => Promise.reject(new LatchkeyError('engine-refused', 'run "npx latchkey apply"'));
  const answer = await app.inject('/readyz');
  expect([answer.statusCode, answer.json()]).toEqual([
    503,
    { status: 'unavailable', checks: { engine: 'run "npx latchkey apply"' } },
  ]);
});
