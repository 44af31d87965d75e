import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SUBJECT, startOidcIssuer, type TrustedIssuer } from '../../support/oidc.ts';

let issuer: TrustedIssuer;
beforeEach(async () => {
  issuer = await startOidcIssuer();
});
afterEach(async () => {
  vi.useRealTimers();
  await issuer.close();
});
const unreachable = (...texts: string[]) =>
  expect.objectContaining({
    code: 'provider-unreachable',
    message: expect.stringMatching(new RegExp(texts.join('.*'))),
  });

test('the keys are where the issuer says, and the document is asked for once', async () => {
  const { tokens } = issuer.provider();
  const token = await issuer.sign();
  await Promise.all([tokens.verifyToken(token), tokens.verifyToken(token), tokens.keys()]);
  expect(issuer.asked).toEqual(['/realms/app/.well-known/openid-configuration', '/realms/app/keys']);
});

test.each(['', '/'])('an issuer that ends in "%s" has its document below it all the same', async (path) => {
  const other = await startOidcIssuer(path);
  expect(await other.provider().tokens.verifyToken(await other.sign())).toMatchObject({ subject: SUBJECT });
  expect(other.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  await other.close();
});

test('a document of another issuer is not believed, not even of one that differs by a slash', async () => {
  for (const told of [
    `${issuer.issuer}/`,
    'https://login.example.com',
    'https://login.example.com/{tenantid}',
  ]) {
    issuer.discovery = { issuer: told };
    const verified = issuer.provider().tokens.verifyToken(await issuer.sign());
    await expect(verified).rejects.toEqual(unreachable('another issuer', 'OIDC_ISSUER'));
  }
  expect(issuer.asked).not.toContain('/realms/app/keys');
});

test.each<[string, Record<string, unknown>]>([
  ['has no keys', { jwks_uri: undefined }],
  ['has keys that anybody on the way could change', { jwks_uri: 'http://login.example.com/keys' }],
  ['has keys in a file', { jwks_uri: 'file:///etc/passwd' }],
  ['has a password in an address', { jwks_uri: 'https://a:b@login.example.com/keys' }],
  ['has profiles that anybody on the way could change', { userinfo_endpoint: 'http://login.example.com/me' }],
])('a document that %s is refused', async (_, changes) => {
  issuer.discovery = changes;
  await expect(issuer.provider().tokens.verifyToken(await issuer.sign())).rejects.toEqual(
    unreachable('no discovery document', 'OIDC_ISSUER'),
  );
});

test('an issuer that does not answer is asked again after five seconds, and never believed meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  issuer.status = 500;
  const { tokens } = issuer.provider();
  const token = await issuer.sign();
  const failure = unreachable('status 500', 'OIDC_ISSUER');
  await expect(tokens.verifyToken(token)).rejects.toEqual(failure);
  issuer.status = 200;
  await expect(tokens.verifyToken(token)).rejects.toEqual(failure);
  expect(issuer.asked).toHaveLength(1);
  vi.setSystemTime(Date.now() + 5_001);
  expect(await tokens.verifyToken(token)).toMatchObject({ subject: SUBJECT });
});

test('through an outage the last good document and keys do, for a day', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { tokens } = issuer.provider();
  await tokens.keys();
  issuer.status = 503;
  vi.setSystemTime(Date.now() + 2 * 60 * 60_000);
  expect(await tokens.verifyToken(await issuer.sign())).toMatchObject({ subject: SUBJECT });
  vi.setSystemTime(Date.now() + 23 * 60 * 60_000);
  await expect(tokens.verifyToken(await issuer.sign())).rejects.toEqual(unreachable('503'));
});

test('with OIDC_JWKS_URL nothing but keys is asked for', async () => {
  const { tokens } = issuer.provider({ keysUrl: `${issuer.issuer}/keys` });
  const token = await issuer.sign({ email: 'ada@example.com' });
  expect(await tokens.verifyToken(token)).toMatchObject({ subject: SUBJECT });
  expect(await tokens.profile?.(token)).toMatchObject({ id: SUBJECT, email: 'ada@example.com' });
  expect(issuer.asked).toEqual(['/realms/app/keys']);
});
