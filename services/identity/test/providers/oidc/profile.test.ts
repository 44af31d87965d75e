import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SUBJECT, startOidcIssuer, type TrustedIssuer } from '../../support/oidc.ts';

let issuer: TrustedIssuer;
beforeEach(async () => {
  issuer = await startOidcIssuer();
});
afterEach(() => issuer.close());

const ADA = {
  email: 'ada@example.com',
  email_verified: true,
  phone_number: '+15550100',
  preferred_username: 'ada',
  name: 'Ada King',
  given_name: 'Ada',
  family_name: 'King',
  picture: 'https://example.com/ada.png',
};
const COLUMNS = {
  provider: 'oidc',
  id: SUBJECT,
  deleted: false,
  email: 'ada@example.com',
  emailVerified: true,
  phone: '+15550100',
  username: 'ada',
  name: 'Ada King',
  firstName: 'Ada',
  lastName: 'King',
  imageUrl: 'https://example.com/ada.png',
  roles: [],
  metadata: {},
  disabledAt: null,
};
const profile = async (claims: Record<string, unknown> = {}) =>
  issuer.provider().tokens.profile?.(await issuer.sign(claims));

test('the issuer is asked with the token, and what it says is of this moment', async () => {
  issuer.userinfo = { status: 200, body: { sub: SUBJECT, ...ADA } };
  const before = Date.now();
  const iat = Math.floor(before / 1000) - 60;
  const record = await profile({ iat, name: 'Of before' });
  expect(record).toMatchObject({ ...COLUMNS, tenant: issuer.issuer, lastSeen: iat * 1000 });
  expect(record?.clock).toBeGreaterThanOrEqual(before);
  expect(issuer.authorizations).toEqual([expect.stringMatching(/^Bearer ey/)]);
});

test.each([400, 401, 403])(
  'a token that userinfo answers with %d tells by itself, as of when it was issued',
  async (status) => {
    issuer.userinfo = { status, body: {} };
    const iat = Math.floor(Date.now() / 1000) - 60;
    expect(await profile({ iat, ...ADA })).toMatchObject({ ...COLUMNS, clock: iat * 1000 });
  },
);

test('so it does where the issuer has no userinfo endpoint', async () => {
  issuer.discovery = { userinfo_endpoint: undefined };
  expect(await profile(ADA)).toMatchObject(COLUMNS);
  expect(issuer.authorizations).toEqual([]);
});

test('a clock of the issuer that is ahead does not date a profile into the future', async () => {
  const record = await profile({
    iat: Math.floor(Date.now() / 1000) + 3_600,
    exp: Math.floor(Date.now() / 1000) + 7_200,
  });
  expect(record?.clock).toBeLessThanOrEqual(Date.now());
});

test.each<[string, unknown]>([
  ['somebody else', { sub: 'another', ...ADA }],
  ['nobody', ADA],
  ['a sub that is no text', { sub: 7 }],
  ['a list', [SUBJECT]],
])('what userinfo says of %s is not taken, nor is anything else', async (_, body) => {
  issuer.userinfo = { status: 200, body };
  await expect(profile(ADA)).rejects.toMatchObject({ code: 'token-invalid' });
});

test.each([302, 404, 429, 500])('status %d of userinfo is no profile', async (status) => {
  issuer.userinfo = { status, body: { sub: SUBJECT, ...ADA } };
  await expect(profile(ADA)).rejects.toMatchObject({
    code: 'provider-unreachable',
    message: expect.stringContaining(`status ${status}`),
  });
});

test('a token that does not verify is shown to nobody', async () => {
  issuer.userinfo = { status: 200, body: { sub: SUBJECT, ...ADA } };
  await expect(profile({ aud: 'another' })).rejects.toMatchObject({ code: 'token-invalid' });
  await expect(profile({ exp: 1 })).rejects.toMatchObject({ code: 'token-invalid' });
  expect(issuer.authorizations).toEqual([]);
});

describe('an address is verified', () => {
  test.each<[unknown, boolean]>([
    [true, true],
    ['true', true],
    [false, false],
    ['false', false],
    ['yes', false],
    [1, false],
    [undefined, false],
  ])('by %s: %s', async (email_verified, expected) => {
    expect(await profile({ ...ADA, email_verified })).toMatchObject({ emailVerified: expected });
  });

  test('only where there is one', async () => {
    expect(await profile({ email_verified: true })).toMatchObject({ email: null, emailVerified: false });
  });
});

test('claims of another kind, too long or empty are nothing, and odd characters cost nobody their row', async () => {
  expect(
    await profile({
      email: { evil: true },
      name: 'x'.repeat(1_001),
      given_name: 'A\u0000da',
      family_name: ' ',
      picture: null,
    }),
  ).toMatchObject({ email: null, name: 'A\uFFFDda', firstName: 'A\uFFFDda', lastName: null, imageUrl: null });
});
