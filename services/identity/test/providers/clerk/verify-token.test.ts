import { fixture } from '@latchkey/tests/support/clerk';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createClerk } from '#providers/clerk/index.ts';
import { clerkKeySource } from '#providers/clerk/keys.ts';
import { clerkTokenVerifier } from '#providers/clerk/verify-token.ts';
import { CONFIG } from '../../support/clerk.ts';

const TOKEN = z.object({ payload: z.record(z.string(), z.unknown()) });
const recorded = (name: string): JWTPayload => TOKEN.parse(JSON.parse(fixture(name))).payload;

const INSTANCE = 'ins_2exampleInstance0000000001';
const keys = await generateKeyPair('RS256');
const strangers = await generateKeyPair('RS256');
let clerk: LocalServer;
let status = 200;

beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'ins_1', use: 'sig', alg: 'RS256' };
  clerk = await serve((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
  });
});
afterAll(() => clerk.close());

const now = () => Math.floor(Date.now() / 1000);
const fresh = (name: string): JWTPayload => ({
  ...recorded(name),
  iss: clerk.url,
  iat: now(),
  nbf: now() - 10,
  exp: now() + 60,
});
const sign = (payload: JWTPayload, header = {}, key = keys.privateKey) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'ins_1', typ: 'JWT', ...header }).sign(key);
const verifierOf = (issuer: string, parties: string[] = [], allowedRoles: string[] = []) =>
  clerkTokenVerifier({
    issuer,
    keys: clerkKeySource(issuer),
    tenant: INSTANCE,
    authorizedParties: parties,
    allowedRoles,
  });
const verify = (token: string, parties: string[] = []) => verifierOf(clerk.url, parties)(token);
const refusal = expect.objectContaining({ code: 'token-invalid', status: 401 });

describe('accepted, as role user, is', () => {
  test.each<[string, Record<string, string>]>([
    [
      'jwt-template.hasura.token.json',
      { 'x-hasura-org-id': 'org_2exampleOrg0000000000001', 'x-hasura-org-role': 'org:admin' },
    ],
    [
      'session-token.v1.json',
      { 'x-hasura-org-id': 'org_2exampleOrg0000000000001', 'x-hasura-org-role': 'org:admin' },
    ],
    [
      'session-token.v2.json',
      { 'x-hasura-org-id': 'org_2exampleOrg0000000000001', 'x-hasura-org-role': 'org:admin' },
    ],
  ])('%s', async (name, organization) => {
    const payload = fresh(name);
    expect(await verify(await sign(payload))).toEqual({
      issuer: clerk.url,
      tenant: INSTANCE,
      subject: 'user_2exampleUser000000000001',
      expiresAt: Number(payload.exp) * 1000,
      issuedAt: Number(payload.iat) * 1000,
      sessionVariables: {
        'x-hasura-user-id': 'user_2exampleUser000000000001',
        ...organization,
      },
      defaultRole: 'user',
      allowedRoles: ['user'],
    });
  });
});

test('nothing in a token makes its bearer somebody else or an admin', async () => {
  const claims = {
    'x-hasura-user-id': 'user_somebody_else',
    'X-Hasura-Role': 'admin',
    'x-hasura-default-role': 'admin',
    'x-hasura-allowed-roles': ['admin'],
    'x-hasura-admin-secret': 'guess',
    'x-hasura-plan': 'pro',
  };
  const payload = { ...fresh('jwt-template.hasura.token.json'), 'https://hasura.io/jwt/claims': claims };
  expect((await verify(await sign(payload))).sessionVariables).toEqual({
    'x-hasura-user-id': 'user_2exampleUser000000000001',
    'x-hasura-plan': 'pro',
  });
});

test('of the roles that the template names, and of those in the organization, the allowed ones count', async () => {
  const claims = {
    'x-hasura-allowed-roles': ['user', 'editor', 'admin', 'owner', 7],
    'x-hasura-org-role': 'org:billing',
  };
  const token = sign({ ...fresh('session-token.v2.json'), 'https://hasura.io/jwt/claims': claims });
  const rolesWith = async (...allowed: string[]) =>
    (await verifierOf(clerk.url, [], allowed)(await token)).allowedRoles;
  expect(await rolesWith()).toEqual(['user']);
  expect(await rolesWith('editor', 'moderator')).toEqual(['user', 'editor']);
  expect(await rolesWith('org:billing', 'billing')).toEqual(['user', 'org:billing']);
});

describe('refused is', () => {
  const base = () => fresh('jwt-template.hasura.token.json');
  const without = (claim: string) =>
    Object.fromEntries(Object.entries(base()).filter(([name]) => name !== claim));

  test.each<[string, () => Promise<string>]>([
    ['an expired token', () => sign({ ...base(), exp: now() - 10 })],
    ['one that is not valid yet', () => sign({ ...base(), nbf: now() + 60 })],
    ['one that never expires', () => sign(without('exp'))],
    ['one of another issuer', () => sign({ ...base(), iss: 'https://clerk.example.com' })],
    ['one without an issuer', () => sign(without('iss'))],
    ['one without a subject', () => sign(without('sub'))],
    ['one signed by a stranger', () => sign(base(), {}, strangers.privateKey)],
    ['one with an unknown key id', () => sign(base(), { kid: 'ins_2' })],
    ['an OAuth access token of the same keys', () => sign(base(), { typ: 'at+jwt' })],
    ['no token', async () => 'nonsense'],
    [
      'alg none',
      async () =>
        `${btoa('{"alg":"none","typ":"JWT"}')}.${btoa(JSON.stringify(base()))}.`.replaceAll('=', ''),
    ],
    [
      'HS256 with the public key as its secret',
      async () =>
        new SignJWT(base())
          .setProtectedHeader({ alg: 'HS256', kid: 'ins_1', typ: 'JWT' })
          .sign(new TextEncoder().encode(await exportSPKI(keys.publicKey))),
    ],
  ])('%s', async (_what, token) => {
    await expect(verify(await token())).rejects.toThrow(refusal);
  });

  describe('with CLERK_AUTHORIZED_PARTIES', () => {
    const parties = ['https://app.example.com'];

    test('a token of an origin that is not on the list', async () => {
      await expect(verify(await sign(base()), parties)).resolves.toBeDefined();
      const elsewhere = verify(await sign({ ...base(), azp: 'https://evil.example' }), parties);
      await expect(elsewhere).rejects.toThrow(refusal);
      await expect(elsewhere).rejects.toThrow(/azp is not one of CLERK_AUTHORIZED_PARTIES: .*add the origin/);
    });

    test('a token of none, and it is said how it comes about instead of to sign in again', async () => {
      for (const payload of [without('azp'), { ...base(), azp: '' }]) {
        const native = verify(await sign(payload), parties);
        await expect(native).rejects.toThrow(refusal);
        await expect(native).rejects.toThrow(/without an Origin, by a native app or a server/);
        await expect(native).rejects.toThrow(/leave CLERK_AUTHORIZED_PARTIES empty/);
        await expect(native).rejects.not.toThrow(/[Ss]ign in again/);
        await expect(verify(await sign(payload))).resolves.toBeDefined();
      }
    });
  });

  test('a pending session, and it is said what ends that', async () => {
    const pending = verify(await sign({ ...base(), sts: 'pending' }));
    await expect(pending).rejects.toThrow(/choosing an organization/);
    await expect(pending).rejects.not.toThrow(/[Ss]ign in again/);
  });
});

describe('of several issuers', () => {
  const base = () => fresh('session-token.v2.json');

  test('each is verified by its own keys, at its own path', async () => {
    const others = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(others.publicKey)), kid: 'ins_1', use: 'sig', alg: 'RS256' };
    const asked: string[] = [];
    const proxy = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
    });
    const provider = createClerk({
      ...CONFIG,
      frontendApiUrl: clerk.url,
      furtherIssuers: [`${proxy.url}/__clerk`],
    });
    const proxied = { ...base(), iss: `${proxy.url}/__clerk` };
    expect(await provider.tokens.verifyToken(await sign(base()))).toMatchObject({ issuer: clerk.url });
    expect(await provider.tokens.verifyToken(await sign(proxied, {}, others.privateKey))).toMatchObject({
      issuer: `${proxy.url}/__clerk`,
      subject: 'user_2exampleUser000000000001',
    });
    expect(asked).toEqual(['/__clerk/.well-known/jwks.json']);
    // The keys of one say nothing of the other's tokens.
    await expect(provider.tokens.verifyToken(await sign(proxied))).rejects.toThrow(refusal);
    await expect(provider.tokens.verifyToken(await sign(base(), {}, others.privateKey))).rejects.toThrow(
      refusal,
    );
    await expect(provider.tokens.verifyToken(await sign({ ...base(), iss: proxy.url }))).rejects.toThrow(
      refusal,
    );
    await expect(provider.tokens.verifyToken('nonsense')).rejects.toThrow(refusal);
    // What the relay passes on to Hasura is the first one's.
    expect((await provider.tokens.keys()).keySet.keys).toMatchObject([
      { n: (await exportJWK(keys.publicKey)).n },
    ]);
    await proxy.close();
  });
});

test('Clerk’s keys not being there is not the token’s fault', async () => {
  const outage = expect.objectContaining({ code: 'provider-unreachable', status: 503 });
  const token = await sign(fresh('session-token.v2.json'));
  status = 500;
  await expect(verify(token)).rejects.toThrow(outage);
  status = 200;
  await expect(verifierOf('http://127.0.0.1:1')(token)).rejects.toThrow(outage);
});
