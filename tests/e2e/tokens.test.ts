import { createPublicKey } from 'node:crypto';
import type { Caller } from '@latchkey/local/graphql-client';
import { type ClerkUser, templatePayload } from '@latchkey/local/stand-ins/clerk';
import { createSigningKey } from '@latchkey/local/stand-ins/core';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let ada: ClerkUser;
let ben: ClerkUser;

beforeAll(async () => {
  stack = await startTestStack();
  ada = stack.clerk.directory.signUp({ email: 'ada@example.com' });
  ben = stack.clerk.directory.signUp({ email: 'ben@example.com' });
  await stack.clerk.webhooks.idle();
});
afterAll(() => stack?.close());

/** Hasura answers with status 200 to everything on /v1/graphql; the code is what counts. */
async function refusal(caller: Caller): Promise<{ codes: string[]; data: unknown }> {
  const { codes, data } = await stack.hasura.query('{ users { id } }', caller);
  return { codes, data };
}
const refusedAs = (code: string) => ({ codes: [code], data: null });

test('a good token is accepted', async () => {
  expect(await stack.asUser(await stack.clerk.token(ada.id), '{ users { id } }')).toEqual({
    users: [{ id: ada.id }],
  });
});

test('a request without a token is refused', async () => {
  expect(await refusal({})).toEqual(refusedAs('invalid-headers'));
});

test('an authorization that is no bearer token is refused', async () => {
  expect(await refusal({ headers: { authorization: 'Basic YTpi' } })).toEqual(refusedAs('invalid-headers'));
});

test('an expired token is refused', async () => {
  const token = await stack.clerk.token(ada.id, { lifetimeSeconds: -60 });
  expect(await refusal({ token })).toEqual(refusedAs('invalid-jwt'));
});

test('a token that is not yet good is refused', async () => {
  const token = await stack.clerk.token(ada.id, { claims: { nbf: Math.floor(Date.now() / 1000) + 600 } });
  expect(await refusal({ token })).toEqual(refusedAs('invalid-jwt'));
});

test('a token signed with another key is refused, even under the same key id', async () => {
  const stranger = await createSigningKey(stack.clerk.key.publicJwk.kid ?? '');
  const token = await stranger.sign(templatePayload(stack.clerk.url, ada.id));
  expect(await refusal({ token })).toEqual(refusedAs('invalid-jwt'));
});

test('a token whose claims were changed after signing is refused', async () => {
  const [header, , signature] = (await stack.clerk.token(ben.id)).split('.');
  const payload = Buffer.from(JSON.stringify(templatePayload(stack.clerk.url, ada.id))).toString('base64url');
  expect(await refusal({ token: `${header}.${payload}.${signature}` })).toEqual(refusedAs('invalid-jwt'));
});

test('a token that is not signed at all is refused', async () => {
  const token = new UnsecuredJWT(templatePayload(stack.clerk.url, ada.id)).encode();
  expect(await refusal({ token })).toEqual(refusedAs('invalid-jwt'));
});

test('a token signed with the public key as a shared secret is refused', async () => {
  const { kty = '', n = '', e = '' } = stack.clerk.key.publicJwk;
  const pem = createPublicKey({ key: { kty, n, e }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const token = await new SignJWT(templatePayload(stack.clerk.url, ada.id))
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(String(pem)));
  expect(await refusal({ token })).toEqual(refusedAs('invalid-jwt'));
});

test('a token of another issuer is refused, though the key is right', async () => {
  const token = await stack.clerk.token(ada.id, { claims: { iss: 'https://clerk.other.example' } });
  expect(await refusal({ token })).toEqual(refusedAs('invalid-jwt'));
});

test('a plain session token, without the template’s claims, is refused', async () => {
  const token = await stack.clerk.token(ada.id, { claims: { 'https://hasura.io/jwt/claims': undefined } });
  expect(await refusal({ token })).toEqual(refusedAs('jwt-invalid-claims'));
});

test('a template that forgot the fallback for no organization makes tokens that are refused', async () => {
  const token = await stack.clerk.token(ada.id, { hasuraClaims: { 'x-hasura-org-id': null } });
  expect(await refusal({ token })).toEqual(refusedAs('jwt-invalid-claims'));
});

test.each(['admin', 'org:admin', 'editor'])('a user who asks for role %s is refused', async (role) => {
  expect(await refusal({ token: await stack.clerk.token(ada.id), role })).toEqual(refusedAs('access-denied'));
});

test('session variables that a client sends as headers are ignored', async () => {
  const token = await stack.clerk.token(ada.id);
  const headers = { 'x-hasura-user-id': ben.id, 'x-hasura-allowed-roles': 'admin' };
  const { data } = await stack.hasura.query('{ users { id } }', { token, headers });
  expect(data).toEqual({ users: [{ id: ada.id }] });
});

test('a wrong admin secret is refused, also beside a good token', async () => {
  const adminSecret = 'wrong';
  expect(await refusal({ adminSecret })).toEqual(refusedAs('access-denied'));
  expect(await refusal({ adminSecret, token: await stack.clerk.token(ada.id) })).toEqual(
    refusedAs('access-denied'),
  );
});
