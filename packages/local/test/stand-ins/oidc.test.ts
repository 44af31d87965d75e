import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type LocalOidc, startLocalOidc } from '#stand-ins/oidc/index.ts';

let issuer: LocalOidc;
beforeAll(async () => {
  issuer = await startLocalOidc({ port: 0 });
});
afterAll(() => issuer.close());

const post = (path: string, fields: Record<string, string>) =>
  fetch(`${issuer.url}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
const tokenOf = async (user: string) => (await fetch(`${issuer.url}/token?user=${user}&lifetime=60`)).text();
const userinfo = (token: string) =>
  fetch(`${issuer.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });

test('its document leads to the keys that its tokens are signed with, and to who their bearer is', async () => {
  const signedUp = await post('/sign-up', { email: 'ada@example.com', given_name: 'Ada' });
  const { id } = z.object({ id: z.string() }).parse(await signedUp.json());
  const document = await fetch(`${issuer.url}/.well-known/openid-configuration`);
  const metadata = z
    .object({ issuer: z.string(), jwks_uri: z.string(), userinfo_endpoint: z.string() })
    .parse(await document.json());
  expect(metadata).toEqual({
    issuer: issuer.url,
    jwks_uri: issuer.keysUrl,
    userinfo_endpoint: `${issuer.url}/userinfo`,
  });
  const token = await tokenOf('ada@example.com');
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(metadata.jwks_uri)), {
    issuer: issuer.serviceEnvironment.OIDC_ISSUER ?? '',
    audience: issuer.serviceEnvironment.OIDC_AUDIENCE ?? '',
  });
  expect(payload).toMatchObject({ sub: id, exp: (payload.iat ?? 0) + 60 });
  expect(await (await userinfo(token)).json()).toEqual({
    sub: id,
    email: 'ada@example.com',
    email_verified: true,
    given_name: 'Ada',
  });
});

test('what changes there is told to who asks next, and who is deleted is nobody', async () => {
  await post('/sign-up', { email: 'ben@example.com' });
  const token = await tokenOf('ben@example.com');
  expect((await post('/users/update', { user: 'ben@example.com', name: 'Ben' })).status).toBe(200);
  expect(await (await userinfo(token)).json()).toMatchObject({ name: 'Ben' });
  expect((await post('/users/delete', { user: 'ben@example.com' })).status).toBe(204);
  expect((await userinfo(token)).status).toBe(401);
  expect((await fetch(`${issuer.url}/token?user=ben@example.com`)).status).toBe(400);
});

test('a token that it did not make says nothing', async () => {
  for (const token of [
    '',
    'a.b.c',
    `${await issuer.token(issuer.directory.signUp({ email: 'eve@example.com' }))}x`,
  ]) {
    expect((await userinfo(token)).status).toBe(401);
  }
});

test('an address is one user’s, and what is none is refused', async () => {
  await post('/sign-up', { email: 'cem@example.com' });
  for (const email of ['cem@example.com', 'nonsense']) {
    const answer = await post('/sign-up', { email });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  }
});
