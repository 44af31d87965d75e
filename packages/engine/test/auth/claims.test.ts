/** Claims, headers and cookies that say a thing twice, and registered claims of the wrong kind. */
import { describe, expect, test } from 'vitest';
import { bearer, claims, jwtAuthenticator, NAMESPACE, secondsFromNow, sign, signText } from './tokens.ts';

const outcome = async (
  token: string,
  settings: Record<string, unknown> = {},
  headers: [string, string][] = bearer(token),
) =>
  (await jwtAuthenticator(settings)).authenticate(headers).then(
    ({ session }) => session.variables,
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

const ROLES = '"x-hasura-allowed-roles":["user","editor"],"x-hasura-default-role":"user"';
const inNamespace = (members: string) => `{"${NAMESPACE}":{${members}}}`;

describe('of keys that are there twice, the first counts', () => {
  const past = secondsFromNow(-60);
  const future = secondsFromNow(60);
  const rest = `"${NAMESPACE}":{${ROLES}}`;

  test.each([
    ['exp', `{"exp":${past},"exp":${future},${rest}}`, `{"exp":${future},"exp":${past},${rest}}`],
    ['an escaped spelling of it', `{"exp":${past},"\\u0065xp":${future},${rest}}`, `{${rest}}`],
    [
      'the claims as a whole',
      `{"${NAMESPACE}":{},${rest}}`,
      `{${rest},"${NAMESPACE}":{"x-hasura-allowed-roles":["admin"],"x-hasura-default-role":"admin"}}`,
    ],
  ])('%s', async (_, refused, taken) => {
    expect(await outcome(signText(refused))).toMatch(/^(invalid-jwt|jwt-)/);
    expect(await outcome(signText(taken))).toEqual({ 'x-hasura-role': 'user' });
  });

  test('a session variable', async () => {
    const payload = inNamespace(`${ROLES},"x-hasura-user-id":"u1","x-hasura-user-id":"u2"`);
    expect(await outcome(signText(payload))).toMatchObject({ 'x-hasura-user-id': 'u1' });
  });

  test('within claims that are text', async () => {
    const text = `{${ROLES},"x-hasura-user-id":"u1","x-hasura-user-id":"u2"}`;
    const token = signText(JSON.stringify({ [NAMESPACE]: text }));
    expect(await outcome(token, { claims_format: 'stringified_json' })).toMatchObject({
      'x-hasura-user-id': 'u1',
    });
  });

  test('what a path of claims_map leads to', async () => {
    const map = {
      'x-hasura-allowed-roles': { path: '$.a.roles' },
      'x-hasura-default-role': { path: '$.a.roles[0]' },
    };
    const token = signText('{"a":{"roles":["user"],"roles":["admin"]},"a":{"roles":["admin"]}}');
    expect(await outcome(token, { claims_map: map })).toEqual({ 'x-hasura-role': 'user' });
  });
});

describe('of a claim in two spellings the one in lower case counts, wherever it stands', () => {
  test.each([
    ['"x-hasura-user-id":"u1","X-Hasura-User-Id":"u2"', 'u1'],
    ['"X-Hasura-User-Id":"u2","x-hasura-user-id":"u1"', 'u1'],
    ['"X-HASURA-USER-ID":"u3","X-Hasura-User-Id":"u2"', 'u2'],
  ])('%s', async (members, id) => {
    expect(await outcome(signText(inNamespace(`${ROLES},${members}`)))).toMatchObject({
      'x-hasura-user-id': id,
    });
  });

  test('roles too', async () => {
    const admin = '"X-Hasura-Allowed-Roles":["admin"],"X-Hasura-Default-Role":"admin"';
    for (const members of [`${ROLES},${admin}`, `${admin},${ROLES}`])
      expect(await outcome(signText(inNamespace(members)))).toEqual({ 'x-hasura-role': 'user' });
  });
});

describe('registered claims', () => {
  test.each<[string, unknown]>([
    ['iss', 'a:b c'],
    ['iss', 5],
    ['sub', 'a:b c'],
    ['sub', 'http://[x]'],
    ['aud', 'a:b c'],
    ['aud', ['app', 'a:b c']],
    ['aud', []],
    ['aud', [5]],
    ['jti', 5],
    ['exp', '99999999999'],
    ['nbf', '1'],
    ['iat', {}],
    ['iat', secondsFromNow(60)],
  ])('%s: %j is refused', async (name, value) => {
    expect(await outcome(signText(JSON.stringify({ ...claims(), [name]: value })))).toMatch(/^invalid-jwt/);
  });

  test.each<[string, unknown]>([
    ['iss', 'https://a.example/'],
    ['sub', 'auth0|1'],
    ['sub', 'urn:x:1'],
    ['aud', ['app', 'urn:x']],
    ['jti', 'a:b c'],
    ...['iss', 'sub', 'aud', 'jti', 'exp', 'nbf', 'iat'].map((name): [string, unknown] => [name, null]),
  ])('%s: %j is taken', async (name, value) => {
    expect(await outcome(signText(JSON.stringify({ ...claims(), [name]: value })))).toMatchObject({
      'x-hasura-role': 'user',
    });
  });

  test.each(['[]', '"a"', '1', 'null', '', '{"a":1', '{} {}'])('a payload of %j is none', async (payload) => {
    expect(await outcome(signText(payload))).toMatch(/^invalid-jwt/);
  });

  test('half of a surrogate pair, and bytes that are no UTF-8, are refused', async () => {
    const member = (text: string) => inNamespace(`${ROLES},"x-hasura-user-id":"${text}"`);
    expect(await outcome(signText(member('\\ud800')))).toMatch(/^invalid-jwt/);
    expect(await outcome(signText(Buffer.from(member('\xff'), 'latin1')))).toMatch(/^invalid-jwt/);
    expect(await outcome(signText(member('\\ud83d\\ude00')))).toMatchObject({ 'x-hasura-user-id': '😀' });
  });
});

test('the claim x-hasura-role must be text, though the role comes from elsewhere', async () => {
  expect(await outcome(await sign(claims({ 'x-hasura-role': 5 })))).toMatch(/^jwt-invalid-claims/);
  expect(await outcome(await sign(claims({ 'x-hasura-role': 'editor' })))).toMatchObject({
    'x-hasura-role': 'user',
  });
});

describe('claims_map', () => {
  const map = (more: Record<string, unknown> = {}) => ({
    'x-hasura-allowed-roles': ['user'],
    'x-hasura-default-role': 'user',
    ...more,
  });

  test.each([
    [{ roles: null }, /^jwt-invalid-claims: invalid "x-hasura-allowed-roles"; .* Null$/],
    [{ roles: ['user'], role: null }, /^jwt-invalid-claims: invalid "x-hasura-default-role"; .* Null$/],
  ])('roles that are null take no default: %j', async (payload, refusal) => {
    const claimsMap = {
      'x-hasura-allowed-roles': { path: '$.roles', default: ['user'] },
      'x-hasura-default-role': { path: '$.role', default: 'user' },
    };
    expect(await outcome(await sign(payload), { claims_map: claimsMap })).toMatch(refusal);
  });

  test('paths lead into the claims as Hasura has read them', async () => {
    const at = (path: string) => map({ 'x-hasura-found': { path, default: 'nothing' } });
    const found = async (payload: Record<string, unknown>, path: string) =>
      outcome(await sign(payload), { claims_map: at(path) });
    expect(await found({ aud: ['app'] }, '$.aud')).toMatchObject({ 'x-hasura-found': 'app' });
    expect(await found({ aud: ['app'] }, '$.aud[0]')).toMatchObject({ 'x-hasura-found': 'nothing' });
    expect(await found({ aud: ['a', 'b'] }, '$.aud[1]')).toMatchObject({ 'x-hasura-found': 'b' });
    expect(await found({ iss: 'https://u:p@a' }, '$.iss')).toMatchObject({
      'x-hasura-found': 'https://u:...@a',
    });
    const payload: Record<string, unknown> = { jti: null, other: null };
    expect(await outcome(signText(JSON.stringify(payload)), { claims_map: at('$.jti') })).toMatchObject({
      'x-hasura-found': 'nothing',
    });
    expect(await found(payload, '$.other')).toMatch(/^jwt-invalid-claims/);
  });

  test('what is no session variable must be found too', async () => {
    expect(await outcome(await sign({}), { claims_map: map({ plan: { path: '$.plan' } }) })).toBe(
      'jwt-invalid-claims: JWT claim from claims_map, "plan" not found',
    );
  });

  test('the roles count in lower case alone, other claims in the spelling that sorts last', async () => {
    await expect(
      jwtAuthenticator({
        claims_map: { 'X-Hasura-Allowed-Roles': ['user'], 'x-hasura-default-role': 'user' },
      }),
    ).rejects.toThrow(/x-hasura-allowed-roles/);
    const twice = map({
      'x-hasura-plan': 'lower',
      'X-Hasura-Plan': 'upper',
      'X-Hasura-Allowed-Roles': ['admin'],
    });
    expect(await outcome(await sign({}), { claims_map: twice })).toEqual({
      'x-hasura-role': 'user',
      'x-hasura-plan': 'lower',
    });
  });
});

test.each(['issuer', 'audience'])('a configured %s with a colon must be a URI', async (name) => {
  await expect(jwtAuthenticator({ [name]: 'a:b c' })).rejects.toThrow(/HASURA_GRAPHQL_JWT_SECRET.*URI/);
});

describe('of several tokens', () => {
  const MULTIPLE = 'invalid-headers: Could not verify JWT: Multiple JWTs found';
  const cookie = { header: { type: 'Cookie', name: 'token' } };

  test.each<[string, Record<string, unknown>, (token: string) => [string, string][]]>([
    ['a cookie twice', cookie, (token) => [['Cookie', `token=${token}; token=${token}`]]],
    [
      'two headers of cookies',
      cookie,
      (token) => [
        ['Cookie', `token=${token}`],
        ['cookie', `token=${token}`],
      ],
    ],
    ['a cookie without a value beside it', cookie, (token) => [['Cookie', `token; token=${token}`]]],
    ['Authorization twice', {}, (token) => [...bearer(token), ...bearer(token)]],
    [
      'a header of another name twice',
      { header: { type: 'CustomHeader', name: 'X-Token' } },
      (token) => [
        ['X-Token', token],
        ['x-token', token],
      ],
    ],
  ])('none is taken: %s', async (_, settings, headers) => {
    const token = await sign(claims());
    expect(await outcome(token, settings, headers(token))).toBe(MULTIPLE);
  });

  test('that of the configured issuer counts, those of others do not', async () => {
    const [mine, other, nobody] = await Promise.all([
      sign({ ...claims(), iss: 'https://mine.example' }),
      sign({ ...claims(), iss: 'https://other.example' }),
      sign(claims()),
    ]);
    const settings = { issuer: 'https://mine.example' };
    const both = (a = '', b = '') => outcome('', settings, [...bearer(a), ...bearer(b)]);
    expect(await both(other, mine)).toMatchObject({ 'x-hasura-role': 'user' });
    expect(await both(other, other)).toBe('invalid-jwt: Could not verify JWT: JWTNotInIssuer');
    expect(await both(mine, nobody)).toBe(MULTIPLE);
  });
});

describe('a cookie is taken as it stands', () => {
  const token = sign(claims());
  const cookie = async (value: string) =>
    outcome('', { header: { type: 'Cookie', name: 'token' } }, [['Cookie', value]]);

  test('among others', async () => {
    expect(await cookie(`a=b;   token=${await token};c`)).toMatchObject({ 'x-hasura-role': 'user' });
  });

  test('neither decoded nor unquoted nor trimmed', async () => {
    const encoded = (await token).replaceAll('.', '%2E');
    for (const value of [encoded, `"${await token}"`, `${await token} `, ` ${await token}`])
      expect(await cookie(`token=${value}`)).toMatch(/^invalid-jwt/);
  });

  test('under its own name', async () => {
    for (const name of ['Token', 'token ', '\ttoken'])
      expect(await cookie(`${name}=${await token}`)).toMatch(/^invalid-headers: Missing/);
  });
});

test('names and spaces beyond ASCII are none: over WebSocket headers may hold any letter', async () => {
  const token = await sign(claims());
  for (const value of [`Bearer\u00a0${token}`, `Bearer\u2003${token}`, `\ufeffBearer ${token}`])
    expect(await outcome(token, {}, [['Authorization', value]])).toMatch(/^invalid-headers: Malformed/);
  const missing = /^invalid-headers: Missing/;
  expect(await outcome(token, {}, [['authori\u017fation', `Bearer ${token}`]])).toMatch(missing);
  const cookie = { header: { type: 'Cookie', name: 'token' } };
  expect(await outcome(token, cookie, [['coo\u212aie', `token=${token}`]])).toMatch(missing);
  const custom = { header: { type: 'CustomHeader', name: 'x-sealed' } };
  expect(await outcome(token, custom, [['x-\u017fealed', token]])).toMatch(missing);
});

test('Authorization and Cookie are no headers of another name', async () => {
  const token = await sign(claims());
  const settings = { header: { type: 'CustomHeader', name: 'Authorization' } };
  expect(await outcome(token, settings, [['Authorization', token]])).toMatch(/^invalid-headers: Missing/);
});
