import { randomBytes } from 'node:crypto';
import { decodeJwt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PROVIDER_NAMES, type ProviderName } from '../../services/identity/core/records.ts';
import { applyProject, startTestEngine, type TestEngine } from '../support/engine.ts';
import { type LocalServer, serve } from '../support/http.ts';
import { type Person, startThreeProviders, type ThreeProviders } from '../support/three-providers.ts';
import { type HostileToken, hostileTokens } from './hostile-tokens.ts';
import {
  goodWebhook,
  type HostileRequest,
  hostileCasdoorWebhooks,
  hostileSignedWebhooks,
  type Scheme,
} from './hostile-webhooks.ts';
import { eachOf, type Sent, send } from './send.ts';

/** Each webhook secret is a list here, as while one replaces another. */
const older = {
  clerk: `whsec_${randomBytes(24).toString('base64')}`,
  casdoor: randomBytes(32).toString('hex'),
  cognito: `whsec_${randomBytes(32).toString('base64')}`,
};
const QUERY = JSON.stringify({ query: '{ users { id email } }' });
const EVERYTHING = `{
  users(order_by: {id: asc}) { id provider email roles deleted_at created_at updated_at last_seen }
  organizations(order_by: {id: asc}) { id updated_at }
  organization_memberships(order_by: {user_id: asc}) { user_id organization_id role updated_at }
  identity_deliveries(order_by: {id: asc}) { id status }
}`;
/** What a refusal may be called. `unexpected`, for one, would be a failure. */
const REFUSALS = [
  'access-denied',
  'invalid-jwt',
  'invalid-headers',
  'jwt-invalid-claims',
  'jwt-missing-role-claims',
];

let stack: ThreeProviders;
/** Trusts Clerk by JWT mode, on a database of its own. */
let jwtEngine: TestEngine;
/** Somewhere that nobody must ask for keys. */
let attacker: LocalServer;
let askedOfAttacker = 0;
let people: Record<ProviderName, Person>;
let others: Record<ProviderName, Person>;
let publicJwks: Record<ProviderName, JWK>;
let hostile = 0;
const failures: string[] = [];

beforeAll(async () => {
  const { publicKey } = await generateKeyPair('RS256');
  const attackersJwk = await exportJWK(publicKey);
  attacker = await serve((_request, response) => {
    askedOfAttacker += 1;
    response.end(JSON.stringify({ keys: [attackersJwk] }));
  });
  stack = await startThreeProviders((own) => ({
    CLERK_WEBHOOK_SECRET: `${older.clerk},${own.CLERK_WEBHOOK_SECRET}`,
    CASDOOR_WEBHOOK_SECRET: `${older.casdoor},${own.CASDOOR_WEBHOOK_SECRET}`,
    COGNITO_WEBHOOK_SECRET: `${older.cognito},${own.COGNITO_WEBHOOK_SECRET}`,
    LATCHKEY_ALLOWED_ROLES: 'editor',
  }));
  jwtEngine = await startTestEngine({ adminSecret: stack.adminSecret, jwtSecret: stack.clerk.jwtSecret });
  await applyProject(jwtEngine.url, stack.adminSecret);
  people = {
    clerk: await stack.signUp('clerk', 'ada@example.com'),
    casdoor: await stack.signUp('casdoor', 'grace@example.com'),
    cognito: await stack.signUp('cognito', 'linus@example.com'),
  };
  others = {
    clerk: await stack.signUp('clerk', 'ben@example.com'),
    casdoor: await stack.signUp('casdoor', 'cam@example.com'),
    cognito: await stack.signUp('cognito', 'dee@example.com'),
  };
  const keysOf = async (name: ProviderName) => {
    const answer = await fetch(`${stack.service.url}/jwks/${name}`);
    const { keys } = z.object({ keys: z.array(z.record(z.string(), z.string())) }).parse(await answer.json());
    return keys[0] ?? {};
  };
  publicJwks = {
    clerk: await keysOf('clerk'),
    casdoor: await keysOf('casdoor'),
    cognito: await keysOf('cognito'),
  };
}, 120_000);
afterAll(async () => {
  await jwtEngine?.close();
  await stack?.close();
  await attacker?.close();
});

const engines = () => [stack.engine.url, jwtEngine.url];
const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const;
const JSON_TYPE = ['content-type', 'application/json'] as const;
const answerSchema = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ extensions: z.object({ code: z.string() }) })).optional(),
});

/** Sends what must not get in, and notes where it does, or breaks something. */
async function expectRefused(what: string, sent: Sent, isRefusal: (status: number, body: string) => boolean) {
  hostile += 1;
  const { status, body } = await send(sent);
  if (status >= 500 || !isRefusal(status, body)) failures.push(`${what}: ${status} ${body.slice(0, 200)}`);
}
const refusedByEngine = (status: number, body: string): boolean => {
  // Too large a header, which no handler sees.
  if (status === 431) return true;
  const { data, errors = [] } = answerSchema.parse(JSON.parse(body));
  return (
    data == null && errors.length > 0 && errors.every(({ extensions }) => REFUSALS.includes(extensions.code))
  );
};
const askEngine = (url: string, headers: Sent['headers']): Sent => ({
  url: `${url}/v1/graphql`,
  headers: [JSON_TYPE, ...headers],
  body: QUERY,
});
const askHook = (headers: Record<string, string>): Sent => ({
  url: `${stack.service.url}/auth/hook`,
  headers: [JSON_TYPE],
  body: JSON.stringify({ headers }),
});
const refusedBy =
  (...statuses: number[]) =>
  (status: number) =>
    statuses.includes(status);

/** Nothing that was sent has got in, and nothing of it is stored. */
async function unharmed(attack: () => Promise<unknown>): Promise<void> {
  const before = await stack.asAdmin(EVERYTHING);
  failures.length = 0;
  await attack();
  expect(failures).toEqual([]);
  expect(await stack.asAdmin(EVERYTHING)).toEqual(before);
  expect((await fetch(`${stack.service.url}/readyz`)).status).toBe(200);
}

describe('webhooks', () => {
  const refuse = (requests: readonly HostileRequest[]) =>
    unharmed(() =>
      eachOf(requests, ({ what, path, method, headers, body, status }) =>
        expectRefused(what, { url: `${stack.service.url}${path}`, method, headers, body }, refusedBy(status)),
      ),
    );
  const schemes = (): (Scheme & { secrets: string[] })[] => {
    const clerk = JSON.stringify({
      object: 'event',
      type: 'email.created',
      data: { id: 'ema_1' },
      timestamp: Date.now(),
    });
    const cognito = JSON.stringify({
      type: 'PostAuthentication',
      timestamp: new Date().toISOString(),
      data: { sub: people.cognito.id },
    });
    const { CLERK_WEBHOOK_SECRET = '' } = stack.clerk.serviceEnvironment;
    const { COGNITO_WEBHOOK_SECRET = '' } = stack.cognito.serviceEnvironment;
    return [
      {
        path: '/webhooks/clerk',
        prefix: 'svix',
        secret: CLERK_WEBHOOK_SECRET,
        secrets: [older.clerk, CLERK_WEBHOOK_SECRET],
        body: clerk,
      },
      {
        path: '/webhooks/cognito',
        prefix: 'webhook',
        secret: COGNITO_WEBHOOK_SECRET,
        secrets: [older.cognito, COGNITO_WEBHOOK_SECRET],
        body: cognito,
      },
    ];
  };

  test('good ones are accepted, by each of the secrets while one replaces another', async () => {
    for (const { secrets, ...scheme } of schemes()) {
      for (const secret of secrets) {
        const { path, headers, body } = goodWebhook(
          { ...scheme, secret },
          `msg_${randomBytes(6).toString('hex')}`,
        );
        expect((await send({ url: `${stack.service.url}${path}`, headers, body })).status, path).toBe(204);
      }
    }
    for (const secret of [older.casdoor, stack.casdoor.webhookSecret]) {
      const { records } = stack.casdoor.intercept(() => stack.casdoor.actions.signIn('acme/grace'));
      for (const record of records) {
        const answer = await stack.casdoor.webhooks.post(record, { 'X-Webhook-Secret': secret });
        expect(answer.status).toBe(204);
      }
      expect(records.length).toBeGreaterThan(0);
    }
  });

  test.each([0, 1])('forged, altered, stale and misdirected ones are refused (%#)', async (at) => {
    const scheme = schemes()[at];
    if (scheme === undefined) throw new Error('There is no such scheme.');
    await refuse(hostileSignedWebhooks(scheme));
  });

  test('Casdoor’s without its secret are refused', async () => {
    const { records } = stack.casdoor.intercept(() => stack.casdoor.actions.signIn('acme/cam'));
    await refuse(
      hostileCasdoorWebhooks({
        path: '/webhooks/casdoor',
        header: 'x-webhook-secret',
        secret: stack.casdoor.webhookSecret,
        body: JSON.stringify(records[0]),
      }),
    );
  });

  test('those of one provider are nothing to another', async () => {
    await refuse(
      schemes().flatMap((scheme, index) =>
        PROVIDER_NAMES.filter((name) => scheme.path !== `/webhooks/${name}`).map((name) => ({
          ...goodWebhook({ ...scheme, path: `/webhooks/${name}` }, `msg_crossed_${index}`),
          what: `${scheme.path} at ${name}`,
          status: 401,
        })),
      ),
    );
  });
});

describe.each(PROVIDER_NAMES)('tokens of %s', (name) => {
  const next: Record<ProviderName, ProviderName> = { clerk: 'casdoor', casdoor: 'cognito', cognito: 'clerk' };

  test('a good one is accepted by the engine that asks the service, and shows its bearer their own row', async () => {
    const { id, email, token } = people[name];
    const { body } = await send(askEngine(stack.engine.url, [bearer(await token())]));
    expect(JSON.parse(body)).toEqual({ data: { users: [{ id, email }] } });
    const again = await people[name].signed({});
    expect(JSON.parse((await send(askHook({ authorization: `Bearer ${again}` }))).body)).toMatchObject({
      'x-hasura-user-id': id,
      'x-hasura-role': 'user',
    });
    if (name === 'clerk') {
      const direct = await send(askEngine(jwtEngine.url, [bearer(await token())]));
      expect(JSON.parse(direct.body)).toEqual({ data: { users: [] } });
    }
  });

  test('forged, altered, borrowed and stale ones are refused by engines and service alike', async () => {
    const foreignIssuer = String(decodeJwt(await people[next[name]].token()).iss);
    const tokens = [
      ...(await hostileTokens(people[name], others[name], publicJwks[name], attacker.url, foreignIssuer)),
      {
        what: `${name}: signed by it, in the name of another provider’s user`,
        token: await people[name].signed({ iss: foreignIssuer, sub: people[next[name]].id }),
      },
    ];
    const everywhere = async ({ what, token, onlyByHook = false }: HostileToken) => {
      for (const url of onlyByHook && name === 'clerk' ? [stack.engine.url] : engines()) {
        await expectRefused(`${what} at ${url}`, askEngine(url, [bearer(token)]), refusedByEngine);
      }
      await expectRefused(
        `${what} at the hook`,
        askHook({ Authorization: `Bearer ${token}` }),
        refusedBy(401),
      );
    };
    await unharmed(() => eachOf(tokens, everywhere));
    expect(askedOfAttacker).toBe(0);
  });

  test('a role is given neither by a header nor by a claim', async () => {
    const good = await people[name].token();
    await unharmed(async () => {
      for (const role of [
        'admin',
        'Admin',
        ' ADMIN',
        'user,admin',
        '["admin"]',
        'owner',
        'org:admin',
        'editor',
        '*',
        '%61dmin',
        'аdmin',
      ]) {
        const role_ = ['X-Hasura-Role', role] as const;
        await expectRefused(
          `role ${role}`,
          askEngine(stack.engine.url, [bearer(good), role_]),
          refusedByEngine,
        );
        if (name === 'clerk') {
          await expectRefused(
            `role ${role}`,
            askEngine(jwtEngine.url, [bearer(good), role_]),
            refusedByEngine,
          );
        }
        await expectRefused(
          `role ${role} at the hook`,
          askHook({ authorization: `Bearer ${good}`, 'X-Hasura-Role': role }),
          refusedBy(401),
        );
      }
      // Signed by the provider itself: what an administrator of it, or of one of its organizations, can do.
      const spoken = {
        'x-hasura-allowed-roles': ['admin', 'Admin', 'owner'],
        'x-hasura-default-role': 'admin',
        'x-hasura-role': 'admin',
      };
      for (const claims of [
        { 'https://hasura.io/jwt/claims': spoken },
        { 'https://hasura.io/jwt/claims': JSON.stringify(spoken) },
        spoken,
        { roles: ['admin', 'owner'] },
        { roles: [{ name: 'admin', isEnabled: true }] },
        { 'cognito:groups': ['admin', 'owner'] },
        { o: { id: 'org_1', rol: 'admin' }, org_role: 'admin', role: 'admin' },
      ]) {
        const token = await people[name].signed(claims);
        for (const role of ['admin', 'Admin', 'owner']) {
          await expectRefused(
            `role ${role} by claims ${JSON.stringify(claims)}`,
            askEngine(stack.engine.url, [bearer(token), ['x-hasura-role', role]]),
            refusedByEngine,
          );
        }
        hostile += 1;
        const { body } = await send(askHook({ authorization: `Bearer ${token}` }));
        expect(JSON.parse(body)).toMatchObject({
          'x-hasura-role': 'user',
          'x-hasura-user-id': people[name].id,
        });
      }
    });
  });

  test('smuggled headers and claims make nobody somebody else', async () => {
    const { id, email, token } = people[name];
    const victim = others[name].id;
    const good = await token();
    const claimed = await people[name].signed({
      'x-hasura-user-id': victim,
      user_id: victim,
      id: victim,
      'https://hasura.io/jwt/claims': { 'x-hasura-user-id': victim, 'X-Hasura-User-Id': victim },
    });
    await unharmed(async () => {
      for (const headers of [
        [['x-hasura-user-id', victim]],
        [['X-HASURA-USER-ID', victim]],
        [
          ['x-hasura-user-id', victim],
          ['x-hasura-user-id', victim],
        ],
        [
          ['x-hasura-allowed-roles', '["admin"]'],
          ['x-hasura-default-role', 'admin'],
        ],
        [
          ['x-hasura-org-id', 'org_1'],
          ['x-hasura-org-role', 'org:admin'],
        ],
        [['x-hasura-use-backend-only-permissions', 'true']],
        [['cookie', `x-hasura-user-id=${victim}; authorization=Bearer a.b.c`]],
        [
          ['x-forwarded-user', victim],
          ['x-user-id', victim],
        ],
        [['proxy-authorization', 'Bearer a.b.c']],
        [
          ['forwarded', 'for=127.0.0.1'],
          ['x-real-ip', '127.0.0.1'],
        ],
      ] as const) {
        hostile += 1;
        const { body } = await send(askEngine(stack.engine.url, [bearer(good), ...headers]));
        expect(JSON.parse(body), JSON.stringify(headers)).toEqual({ data: { users: [{ id, email }] } });
      }
      hostile += 1;
      const { body } = await send(askEngine(stack.engine.url, [bearer(claimed)]));
      expect(JSON.parse(body)).toEqual({ data: { users: [{ id, email }] } });
    });
  });
});

describe('requests without a token that counts', () => {
  test('are refused, wherever the token is put instead', async () => {
    const good = await people.clerk.token();
    const cases: [string, Sent['headers']][] = [
      ['nothing', []],
      ['an empty header', [['authorization', '']]],
      ['Bearer alone', [['authorization', 'Bearer']]],
      ['no scheme', [['authorization', good]]],
      ['Basic', [['authorization', `Basic ${Buffer.from(`user:${good}`).toString('base64')}`]]],
      ['another scheme', [['authorization', `Token ${good}`]]],
      ['a scheme too many', [['authorization', `Bearer Bearer ${good}`]]],
      ['two in one', [['authorization', `Bearer a.b.c, Bearer ${good}`]]],
      ['a cookie', [['cookie', `token=${good}; __session=${good}; authorization=Bearer ${good}`]]],
      [
        'another header',
        [
          ['x-authorization', `Bearer ${good}`],
          ['x-access-token', good],
        ],
      ],
      [
        'session variables',
        [
          ['x-hasura-role', 'user'],
          ['x-hasura-user-id', people.clerk.id],
        ],
      ],
      ['role admin', [['x-hasura-role', 'admin']]],
    ];
    await unharmed(async () => {
      for (const [what, headers] of cases) {
        for (const url of engines()) await expectRefused(what, askEngine(url, headers), refusedByEngine);
        const hook = { url: `${stack.service.url}/auth/hook`, method: 'GET', headers };
        await expectRefused(`${what}, by GET`, hook, refusedBy(401));
        await expectRefused(`${what}, by POST`, askHook(Object.fromEntries(headers)), refusedBy(401));
      }
    });
  });

  test('a header that comes twice is refused, whichever is good', async () => {
    const good = bearer(await people.clerk.token());
    const forged = bearer('a.b.c');
    await unharmed(async () => {
      for (const headers of [
        [good, forged],
        [forged, good],
        [good, good],
        [good, ['x-hasura-role', 'user'], ['x-hasura-role', 'admin']],
      ] as const) {
        const hook = { url: `${stack.service.url}/auth/hook`, method: 'GET', headers };
        await expectRefused('twice, by GET', hook, refusedBy(401));
      }
      await expectRefused(
        'twice in two spellings, by POST',
        askHook({ authorization: good[1], Authorization: forged[1] }),
        refusedBy(401),
      );
      for (const headers of [
        [good, forged],
        [forged, good],
      ] as const) {
        await expectRefused('twice, to the engine', askEngine(jwtEngine.url, headers), refusedByEngine);
      }
    });
  });
});

describe('secrets', () => {
  const guesses = (secret: string): string[] => [
    '',
    ' ',
    'admin',
    'secret',
    'null',
    'undefined',
    'true',
    '*',
    '[]',
    '{}',
    secret.slice(0, -1),
    secret.slice(1),
    `${secret}x`,
    `${secret},`,
    `"${secret}"`,
    secret.toUpperCase(),
    secret.toLowerCase(),
    `${secret}${secret}`,
    `Bearer ${secret}`,
    Buffer.from(secret).toString('base64'),
    encodeURIComponent(`${secret} `),
  ];

  test('the admin secret lets in, and no guess of it does, with a good token or without', async () => {
    const secret = ['x-hasura-admin-secret', stack.adminSecret] as const;
    const token = bearer(await people.clerk.token());
    for (const url of engines()) {
      const { body } = await send(askEngine(url, [secret]));
      expect(answerSchema.parse(JSON.parse(body)).data).toHaveProperty('users');
    }
    await unharmed(async () => {
      for (const guess of guesses(stack.adminSecret)) {
        for (const url of engines()) {
          for (const headers of [
            [['x-hasura-admin-secret', guess]],
            [['X-Hasura-Access-Key', guess]],
            [['x-hasura-admin-secret', guess], token],
          ] as const) {
            await expectRefused(`admin secret “${guess}”`, askEngine(url, headers), refusedByEngine);
          }
        }
      }
    });
  });

  test('the admin secret is none of the service’s: neither its hook nor its webhooks take it', async () => {
    const secret = { 'x-hasura-admin-secret': stack.adminSecret, 'x-hasura-role': 'admin' };
    await unharmed(async () => {
      await expectRefused('the hook', askHook(secret), refusedBy(401));
      for (const name of PROVIDER_NAMES) {
        const headers = [JSON_TYPE, ...Object.entries(secret)];
        await expectRefused(
          name,
          { url: `${stack.service.url}/webhooks/${name}`, headers, body: '{}' },
          refusedBy(401),
        );
      }
    });
  });

  test('the secret of actions and jobs lets in, and no guess of it does', async () => {
    const targets = [
      ['/jobs/retention', ''],
      ['/jobs/erasure', ''],
      ['/jobs/reconcile', ''],
      ['/actions', 'syncMe'],
      ['/actions', 'deleteMyAccount'],
    ] as const;
    const call = (path: string, headers: Sent['headers'], name = ''): Sent => ({
      url: `${stack.service.url}${path}`,
      headers: [JSON_TYPE, ...headers],
      body: JSON.stringify({
        action: { name },
        input: {},
        session_variables: { 'x-hasura-role': 'user', 'x-hasura-user-id': people.clerk.id },
        payload: { provider: 'clerk' },
      }),
    });
    const right = await send(call('/jobs/retention', [['x-latchkey-secret', stack.actionSecret]]));
    expect(right.status).toBe(200);
    await unharmed(async () => {
      for (const [path, name] of targets) {
        const what = `${path} ${name}`;
        await expectRefused(what, call(path, [], name), refusedBy(401));
        const admin = call(path, [['x-hasura-admin-secret', stack.adminSecret]], name);
        await expectRefused(`${what}, as admin`, admin, refusedBy(401));
        for (const guess of guesses(stack.actionSecret)) {
          const guessed = call(path, [['x-latchkey-secret', guess]], name);
          await expectRefused(`${what}: ${guess}`, guessed, refusedBy(401));
        }
      }
    });
  });
});

test('that was no small number', () => {
  console.log(`${hostile} hostile requests.`);
  expect(hostile).toBeGreaterThan(1_000);
});
