import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { jwtVerifier } from '#providers/jwt.ts';
import { createKeySource, type KeySource } from '#providers/key-source.ts';

const pair = await generateKeyPair('RS256', { extractable: true });
const publicJwk = await exportJWK(pair.publicKey);
const first = { ...publicJwk, kid: 'first', use: 'sig', alg: 'RS256' };
const second = { ...first, kid: 'second' };

let provider: LocalServer;
let asked: number;
let answer: { status: number; body: string };
const publish = (...keys: unknown[]) => {
  answer = { status: 200, body: JSON.stringify({ keys }) };
};
const fail = () => {
  answer = { status: 500, body: 'oops' };
};
/** Lets the clock go on, and nothing else. */
const pass = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  asked = 0;
  publish(first);
  provider = await serve((_request, response) => {
    asked += 1;
    response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.body);
  });
});
afterEach(async () => {
  vi.useRealTimers();
  await provider.close();
});

const create = (): KeySource =>
  createKeySource({ url: `${provider.url}/jwks`, provider: 'Door', fix: 'check DOOR_ENDPOINT' });
const kidsOf = async (source: KeySource) => (await source.keys()).keySet.keys.map(({ kid }) => kid);
const unreachableAs = (why: string) =>
  expect.objectContaining({
    code: 'provider-unreachable',
    message: `Door’s keys cannot be had from ${provider.url}/jwks (${why}): check DOOR_ENDPOINT.`,
  });
const unreachable = expect.objectContaining({ code: 'provider-unreachable' });

describe('what is kept of a set', () => {
  test('is public: no secrets, nothing of a private part, and nothing for encryption', async () => {
    const ec = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'ec' };
    publish(
      { ...(await exportJWK(pair.privateKey)), kid: 'leaked', x5c: ['…'], ext: true },
      { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' },
      { ...first, use: 'enc', kid: 'for encryption' },
      ec,
      'no key at all',
    );
    const { n, e } = publicJwk;
    expect((await create().keys()).keySet).toEqual({
      keys: [
        { kty: 'RSA', use: 'sig', kid: 'leaked', n, e },
        { ...ec, use: 'sig' },
      ],
    });
  });

  test.each([
    { kty: 'RSA', n: 'n', e: 'e' },
    { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
    { kty: 'OKP', crv: 'Ed25519', x: 'x' },
  ])('is a key of type $kty', async (key) => {
    publish({ ...key, use: 'sig', alg: 'any', kid: 'one' });
    expect((await create().keys()).keySet).toEqual({
      keys: [{ ...key, use: 'sig', alg: 'any', kid: 'one' }],
    });
  });

  const noKeySet = 'the answer is no key set';
  test.each<[string, () => void, string]>([
    ['another status than 200', fail, 'status 500'],
    [
      'a redirect',
      () => (answer = { status: 302, body: JSON.stringify({ keys: [first] }) }),
      'status 302, and redirects are not followed',
    ],
    ['another shape', () => (answer = { status: 200, body: '{"status":"error"}' }), noKeySet],
    ['no JSON', () => (answer = { status: 200, body: '<html>' }), noKeySet],
    [
      'a set of no usable key',
      () => publish({ kty: 'oct', k: 'c2VjcmV0' }),
      'none of them is one that signatures are verified by',
    ],
    ['too many keys', () => publish(...Array.from({ length: 101 }, () => first)), noKeySet],
    [
      'too large a body',
      () => publish(first, { kid: 'x'.repeat(300_000) }),
      'the answer is larger than 262144 bytes',
    ],
  ])('is nothing where the answer is %s, and the error says so', async (_what, set, why) => {
    set();
    await expect(create().keys()).rejects.toThrow(unreachableAs(why));
  });

  test('is nothing where nobody answers, and the error says why and where', async () => {
    await provider.close();
    await expect(create().keys()).rejects.toThrow(
      unreachableAs('the connection is refused: nothing listens there (ECONNREFUSED)'),
    );
  });
});

test('the provider is asked once for many at a time, and again after a minute', async () => {
  const source = create();
  await Promise.all([source.keys(), source.keys(), source.keys()]);
  await source.keys();
  expect(asked).toBe(1);
  publish(second);
  pass(61_000);
  expect(await kidsOf(source)).toEqual(['second']);
  expect(asked).toBe(2);
});

describe('through an outage', () => {
  test('the last good keys are given, and why they are not newer', async () => {
    const source = create();
    const { readAt } = await source.keys();
    fail();
    pass(61_000);
    expect(await source.keys()).toMatchObject({ keySet: { keys: [first] }, readAt, outage: unreachable });
  });

  test('the provider is asked every few seconds and not every time, and then trusted again', async () => {
    const source = create();
    await source.keys();
    fail();
    pass(61_000);
    for (let time = 0; time < 20; time += 1) await source.keys();
    expect(asked).toBe(2);
    publish(second);
    pass(6_000);
    expect(await source.keys()).toEqual({ keySet: { keys: [second] }, readAt: Date.now() });
    expect(asked).toBe(3);
  });

  test('they are given for a day and no longer', async () => {
    const source = create();
    await source.keys();
    fail();
    pass(23 * 60 * 60_000);
    expect(await kidsOf(source)).toEqual(['first']);
    pass(2 * 60 * 60_000);
    await expect(source.keys()).rejects.toThrow(unreachable);
    // Also without asking anew.
    await expect(source.keys()).rejects.toThrow(unreachable);
    publish(second);
    pass(6_000);
    expect(await kidsOf(source)).toEqual(['second']);
  });
});

const signed = (kid: string, key = pair.privateKey) =>
  new SignJWT({ sub: 'ada', iss: 'door', exp: Math.floor(Date.now() / 1000) + 86_400 })
    .setProtectedHeader({ alg: 'RS256', kid })
    .sign(key);

describe('a key made anew under the name of before', async () => {
  const again = await generateKeyPair('RS256', { extractable: true });
  const renewed = { ...(await exportJWK(again.publicKey)), kid: 'first', use: 'sig', alg: 'RS256' };
  const verifier = () => jwtVerifier(create(), { issuer: 'door', algorithms: ['RS256'] });
  const refused = expect.objectContaining({ code: 'token-invalid' });

  test('is looked for at once when a signature does not fit, and the old one is no good any more', async () => {
    const verify = verifier();
    await verify(await signed('first'));
    publish(renewed);
    pass(11_000);
    await expect(verify(await signed('first', again.privateKey))).resolves.toBeDefined();
    await expect(verify(await signed('first'))).rejects.toThrow(refused);
    expect(asked).toBe(2);
  });

  test('is found within a minute even if no token of it comes: the old one is no good any more', async () => {
    const verify = verifier();
    await verify(await signed('first'));
    publish(renewed);
    pass(59_000);
    await expect(verify(await signed('first'))).resolves.toBeDefined();
    pass(2_000);
    await expect(verify(await signed('first'))).rejects.toThrow(refused);
  });

  test('is not looked for again and again because of what somebody made up', async () => {
    const verify = verifier();
    await verify(await signed('first'));
    pass(11_000);
    for (let time = 0; time < 50; time += 1) {
      await expect(verify(await signed('first', again.privateKey))).rejects.toThrow(refused);
    }
    expect(asked).toBe(2);
  });

  test('cannot be looked for while the provider is away, and the token is refused, not taken', async () => {
    const verify = verifier();
    await verify(await signed('first'));
    fail();
    pass(11_000);
    await expect(verify(await signed('first', again.privateKey))).rejects.toThrow(refused);
    await expect(verify(await signed('first'))).resolves.toBeDefined();
  });
});

describe('a token whose key is not known', () => {
  test('makes the provider be asked early; what it answers is there for everybody', async () => {
    const source = create();
    await jwtVerify(await signed('first'), source.find);
    publish(first, second);
    pass(11_000);
    await jwtVerify(await signed('second'), source.find);
    expect(asked).toBe(2);
    expect(await kidsOf(source)).toEqual(['first', 'second']);
    expect(asked).toBe(2);
  });

  test('makes it be asked ten seconds after the last question, and not a moment earlier', async () => {
    const source = create();
    await source.keys();
    publish(first, second);
    pass(9_999);
    await expect(jwtVerify(await signed('second'), source.find)).rejects.toThrow('no applicable key');
    expect(asked).toBe(1);
    pass(1);
    await expect(jwtVerify(await signed('second'), source.find)).resolves.toBeDefined();
    expect(asked).toBe(2);
  });

  test('is something else than one that several keys could be for, which asking anew does not help', async () => {
    publish(first, second);
    const source = create();
    await source.keys();
    pass(11_000);
    const unnamed = await new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(pair.privateKey);
    await expect(jwtVerify(unnamed, source.find)).rejects.toThrow('multiple matching keys');
    expect(asked).toBe(1);
  });

  test('a thousand of them do not make it be asked a thousand times', async () => {
    const source = create();
    for (let time = 0; time < 1_000; time += 1) {
      const forged = `${btoa(`{"alg":"RS256","kid":"k${time}"}`)}.e30.x`.replaceAll('=', '');
      await expect(jwtVerify(forged, source.find)).rejects.toThrow();
    }
    expect(asked).toBe(1);
  });

  test('is verified by the last good keys through an outage', async () => {
    const source = create();
    await source.keys();
    fail();
    pass(3_600_000);
    await expect(jwtVerify(await signed('first'), source.find)).resolves.toBeDefined();
  });
});
