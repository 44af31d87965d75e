import { SECRET } from '@latchkey/tests/support/clerk';
import { UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTokenVerifier } from '#auth/verified-tokens.ts';
import { createClerk } from '#providers/clerk/index.ts';
import { CLOCK_SKEW_SECONDS } from '#providers/clock-skew.ts';
import type { Provider } from '#providers/provider.ts';
import { type Issuers, SUBJECT, startIssuers } from '../support/issuer.ts';

let issuers: Issuers;
/** The tokens that a provider was asked to verify. */
let verified: string[];
beforeEach(async () => {
  issuers = await startIssuers();
  verified = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await issuers.close();
});

function create(mostTokens?: number) {
  const watched = [...issuers.providers.values()].map(
    (provider): Provider => ({
      ...provider,
      tokens: {
        ...provider.tokens,
        verifyToken(token) {
          verified.push(token);
          return provider.tokens.verifyToken(token);
        },
      },
    }),
  );
  return createTokenVerifier(new Map(watched.map((provider) => [provider.name, provider])), mostTokens);
}
const refusal = expect.objectContaining({ code: 'token-invalid' });

test.each(['clerk', 'casdoor', 'cognito', 'oidc'] as const)(
  'a token of %s goes to it by its issuer',
  async (name) => {
    const { provider, subject, allowedRoles } = await create()(await issuers.token(name));
    expect([provider, subject, allowedRoles]).toEqual([name, SUBJECT, ['user']]);
  },
);

test('one of an issuer that is not set up is refused, and nobody is asked', async () => {
  const verify = create();
  for (const iss of ['https://elsewhere.example', `${issuers.url}/`, '', undefined]) {
    const changes = iss === undefined ? {} : { iss };
    const token =
      iss === undefined ? new UnsecuredJWT({ sub: SUBJECT }).encode() : await issuers.token('clerk', changes);
    await expect(verify(token)).rejects.toThrow(refusal);
  }
  for (const token of ['', 'a.b.c', 'a.W10.c', `a.${btoa('null')}.c`])
    await expect(verify(token)).rejects.toThrow(refusal);
  expect([verified, issuers.asked()]).toEqual([[], 0]);
});

test('what says the right issuer and is signed by another provider is refused', async () => {
  // One key signs for all three here, so the issuer alone would let it pass.
  const token = await issuers.token('clerk', { iss: `${issuers.url}/casdoor` });
  await expect(create()(token)).rejects.toThrow(refusal);
});

test('a token is verified once, however often it comes', async () => {
  const verify = create();
  const token = await issuers.token('clerk');
  const first = await verify(token);
  expect(await verify(token)).toEqual(first);
  expect(verified).toEqual([token]);
});

test.each(['clerk', 'casdoor', 'cognito'] as const)(
  'a token of %s is good for as long as clocks may differ after it expires, and no longer',
  async (name) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const exp = Math.floor(Date.now() / 1000) + 600;
    const token = await issuers.token(name, { exp });
    for (const [seconds, isGood] of [
      [-1, true],
      [0, true],
      [CLOCK_SKEW_SECONDS - 1, true],
      [CLOCK_SKEW_SECONDS, false],
    ] as const) {
      vi.setSystemTime((exp + seconds) * 1000);
      const outcome = create()(token).then(
        () => true,
        () => false,
      );
      expect(await outcome, `${seconds} s after it expired`).toBe(isGood);
    }
  },
);

test('it is forgotten when it expires, and refused from then on', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const verify = create();
  const token = await issuers.token('clerk', { exp: Math.floor(Date.now() / 1000) + 60 });
  await verify(token);
  vi.setSystemTime(Date.now() + 66_000);
  await expect(verify(token)).rejects.toThrow(refusal);
});

test('it is verified anew after a minute, for its key may have been withdrawn', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const verify = create();
  const token = await issuers.token('casdoor', { exp: Math.floor(Date.now() / 1000) + 604_800 });
  await verify(token);
  vi.setSystemTime(Date.now() + 59_000);
  await verify(token);
  expect(verified).toHaveLength(1);
  vi.setSystemTime(Date.now() + 2_000);
  await verify(token);
  expect(verified).toHaveLength(2);
});

test('only so many are remembered: the one not seen for longest makes way', async () => {
  const verify = create(2);
  const [one, two, three] = [
    await issuers.token('clerk', { jti: '1' }),
    await issuers.token('clerk', { jti: '2' }),
    await issuers.token('clerk', { jti: '3' }),
  ];
  for (const token of [one, two, one, three, one, two]) await verify(token);
  expect(verified).toEqual([one, two, three, two]);
});

test('a refusal and an outage are not remembered', async () => {
  const verify = create();
  const token = await issuers.token('cognito');
  issuers.answerWith(500);
  await expect(verify(token)).rejects.toThrow(expect.objectContaining({ code: 'provider-unreachable' }));
  issuers.answerWith(200);
  expect((await verify(token)).subject).toBe(SUBJECT);

  const early = await issuers.token('clerk', { nbf: Math.floor(Date.now() / 1000) + 60 });
  for (const _time of [1, 2]) await expect(verify(early)).rejects.toThrow(refusal);
  expect(verified.filter((other) => other === early)).toHaveLength(2);
});

test('a provider whose issuer is not configured has no tokens', async () => {
  const clerk = createClerk({
    webhookSecrets: [SECRET],
    publishableKey: undefined,
    frontendApiUrl: undefined,
    secretKey: undefined,
    apiUrl: issuers.url,
    authorizedParties: [],
    instanceId: '',
  });
  const verify = createTokenVerifier(new Map([['clerk', clerk]]));
  await expect(verify(await issuers.token('clerk'))).rejects.toThrow(refusal);
});
