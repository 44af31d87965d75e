import { CLIENT, fixture, type JsonFixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type ClaimsConfig, LEAST_CLAIMS, readClaimsConfig } from '#config.ts';
import { createPreToken } from '#pre-token.ts';

const NAMESPACE = 'https://hasura.io/jwt/claims';
const log = vi.fn();
let server: LocalServer | undefined;
afterEach(async () => {
  log.mockReset();
  await server?.close();
  server = undefined;
});

function configured(environment: Record<string, string>): ClaimsConfig {
  const { config, problem } = readClaimsConfig(environment);
  if (config === undefined) throw new Error(problem);
  return config;
}

/** A recorded event with other groups. */
function inGroups(name: string, groups: unknown): JsonFixture {
  const event = fixture(name);
  return {
    ...event,
    request: { ...Object(event.request), groupConfiguration: { groupsToOverride: groups } },
  };
}

const user = {
  'x-hasura-default-role': 'user',
  'x-hasura-allowed-roles': ['user'],
  'x-hasura-user-id': SUB,
  'x-hasura-identity-provider': 'cognito',
  'x-hasura-identity-tenant': POOL,
  'x-hasura-org-ids': `{"${POOL}/admins"}`,
};

/** The claims that the answer adds to the ID token of a V1_0 event, parsed. */
function v1Claims(answer: object): unknown {
  const { claimsOverrideDetails } = Object('response' in answer && answer.response);
  const text: unknown = claimsOverrideDetails?.claimsToAddOrOverride?.[NAMESPACE];
  return typeof text === 'string' ? JSON.parse(text) : text;
}

describe('a V1_0 event', () => {
  test.each(['pretoken.v1.json', 'pretoken.refresh.v1.json'])('%s: the claims are one text', async (name) => {
    const event = fixture(name);
    const answer = await createPreToken(LEAST_CLAIMS, log)(event);
    expect(answer).toEqual({
      ...event,
      response: { claimsOverrideDetails: { claimsToAddOrOverride: { [NAMESPACE]: JSON.stringify(user) } } },
    });
  });

  test('the answer keeps the shape of the recorded one', async () => {
    const recorded = fixture('pretoken.v1.response.json');
    const answer = await createPreToken(LEAST_CLAIMS, log)(fixture('pretoken.v1.json'));
    expect(Object.keys(answer).toSorted()).toEqual(Object.keys(recorded).toSorted());
    expect(Object.keys(Object(v1Claims(answer)))).toEqual(
      expect.arrayContaining(Object.keys(Object(v1Claims(recorded)))),
    );
  });

  test('events of the local stand-in, which leave the groups out, are understood', async () => {
    const { events } = fixture('cognito-local.captured-triggers.json');
    for (const { function: name, event } of Array.isArray(events) ? events : []) {
      if (name !== 'pretoken') continue;
      const own = { 'x-hasura-identity-tenant': event.userPoolId, 'x-hasura-org-ids': '{}' };
      expect(v1Claims(await createPreToken(LEAST_CLAIMS, log)(event))).toEqual({ ...user, ...own });
    }
    expect.assertions(2);
  });
});

describe('a V2_0 event', () => {
  test('both tokens get the claims as an object, and the groups are left alone', async () => {
    const event = fixture('pretoken.v2.json');
    const answer = await createPreToken(LEAST_CLAIMS, log)(event);
    const added = { claimsToAddOrOverride: { [NAMESPACE]: user } };
    expect(answer).toEqual({
      ...event,
      response: { claimsAndScopeOverrideDetails: { idTokenGeneration: added, accessTokenGeneration: added } },
    });
  });

  test('the answer puts the claims where the recorded one has them', async () => {
    const own = ['x-hasura-identity-provider', 'x-hasura-identity-tenant', 'x-hasura-org-ids'];
    const placesOf = (event: object) => {
      const { claimsAndScopeOverrideDetails: details } = Object('response' in event && event.response);
      return ['idTokenGeneration', 'accessTokenGeneration'].map((token) =>
        Object.keys(details[token].claimsToAddOrOverride[NAMESPACE])
          .filter((name) => !own.includes(name))
          .toSorted(),
      );
    };
    const answer = await createPreToken(LEAST_CLAIMS, log)(fixture('pretoken.v2.json'));
    expect(placesOf(answer)).toEqual(placesOf(fixture('pretoken.v2.response.json')));
  });

  test('it is known by its response too', async () => {
    const { version: _, ...event } = fixture('pretoken.v2.json');
    expect(await createPreToken(LEAST_CLAIMS, log)(event)).toMatchObject({
      response: { claimsAndScopeOverrideDetails: { accessTokenGeneration: {} } },
    });
  });
});

test.each(['2', '3'])(
  'an event of version %s is known by that, whatever its response has',
  async (version) => {
    const v2 = fixture('pretoken.v2.json');
    const { response: _, ...bare } = v2;
    const expected = Object(await createPreToken(LEAST_CLAIMS, log)(v2)).response;
    for (const event of [bare, { ...bare, response: {} }, { ...bare, response: null }]) {
      expect(await createPreToken(LEAST_CLAIMS, log)({ ...event, version })).toHaveProperty(
        'response',
        expected,
      );
    }
  },
);

describe('a V3_0 event', () => {
  test('of a user is answered as one of V2_0', async () => {
    const v2 = fixture('pretoken.v2.json');
    const answer = await createPreToken(LEAST_CLAIMS, log)({ ...v2, version: '3' });
    expect(answer).toEqual({ ...(await createPreToken(LEAST_CLAIMS, log)(v2)), version: '3' });
  });

  test('of a machine that nobody configured gets no claims', async () => {
    const event = fixture('pretoken.v3.client-credentials.json');
    expect(
      await createPreToken(configured({ LATCHKEY_MACHINE_ROLES: 'other=importer' }), log)(event),
    ).toEqual(event);
  });

  test('of a configured machine gets just what is configured, in its access token', async () => {
    const config = configured({ LATCHKEY_MACHINE_ROLES: `${CLIENT}=importer,${CLIENT}=exporter` });
    const answer = await createPreToken(config, log)(fixture('pretoken.v3.client-credentials.json'));
    expect(answer).toHaveProperty('response', {
      claimsAndScopeOverrideDetails: {
        accessTokenGeneration: {
          claimsToAddOrOverride: {
            [NAMESPACE]: {
              'x-hasura-default-role': 'importer',
              'x-hasura-allowed-roles': ['importer', 'exporter'],
              'x-hasura-client-id': CLIENT,
            },
          },
        },
      },
    });
  });
});

describe('roles from groups', () => {
  const config = configured({
    LATCHKEY_ALLOWED_ROLES: 'editor,viewer',
    LATCHKEY_GROUP_ROLES: 'content-team=editor',
  });
  const rolesFor = async (groups: unknown, settings = config) =>
    Object(v1Claims(await createPreToken(settings, log)(inGroups('pretoken.v1.json', groups))))[
      'x-hasura-allowed-roles'
    ];

  test('a listed group gives its role, a renamed one the role that it stands for, each once', async () => {
    expect(await rolesFor(['viewer', 'content-team', 'editor'])).toEqual(['user', 'viewer', 'editor']);
    expect(await rolesFor(['content-team'])).toEqual(['user', 'editor']);
  });

  test('what a group is renamed to counts, not its own name, be that a role that is allowed', async () => {
    const renamed = configured({
      LATCHKEY_ALLOWED_ROLES: 'editor,viewer',
      LATCHKEY_GROUP_ROLES: 'editor=viewer',
    });
    expect(await rolesFor(['editor'], renamed)).toEqual(['user', 'viewer']);
  });

  test.each<[string, unknown]>([
    ['admin', ['admin']],
    ['admin in other letters', ['Admin', 'ADMIN', ' admin', 'admin ', 'аdmin']],
    ['the recorded admins', ['admins']],
    ['a listed role in other letters', ['Editor', 'EDITOR', 'editor ', ' viewer']],
    ['names of claims', ['x-hasura-admin-secret', 'x-hasura-role: admin', 'X-Hasura-User-Id']],
    ['quotes and braces', ['"],"x-hasura-default-role":"admin', '{"x-hasura-role":"admin"}', 'user","admin']],
    ['names that every object has', ['constructor', '__proto__', 'toString']],
    ['lists in a text', ['editor,viewer', 'content-team=editor']],
    ['nothing', []],
    ['null', null],
  ])('%s: the role user alone', async (_, groups) => {
    expect(await rolesFor(groups)).toEqual(['user']);
  });

  test('with nothing configured no group gives anything', async () => {
    expect(await rolesFor(['editor', 'viewer', 'content-team'], LEAST_CLAIMS)).toEqual(['user']);
  });

  test('the default role is user, whatever the groups say', async () => {
    const answer = await createPreToken(config, log)(inGroups('pretoken.v1.json', ['editor']));
    expect(v1Claims(answer)).toMatchObject({ 'x-hasura-default-role': 'user' });
  });
});

test('what the client or the user wrote is not read', async () => {
  const event = fixture('pretoken.v2.json');
  const request = Object(event.request);
  const hostile = {
    ...event,
    request: {
      ...request,
      clientMetadata: { 'x-hasura-role': 'admin', 'x-hasura-user-id': 'somebody', roles: 'admin' },
      userAttributes: { ...request.userAttributes, 'custom:role': 'admin', 'x-hasura-role': 'admin' },
    },
  };
  const answer = await createPreToken(configured({ LATCHKEY_ALLOWED_ROLES: 'editor' }), log)(hostile);
  const added = { claimsToAddOrOverride: { [NAMESPACE]: user } };
  expect(answer).toMatchObject({
    response: { claimsAndScopeOverrideDetails: { idTokenGeneration: added, accessTokenGeneration: added } },
  });
});

test.each<[string, object]>([
  ['no sub', { ...fixture('pretoken.v1.json'), request: { userAttributes: { email: 'ada@example.com' } } }],
  ['an empty sub', { ...fixture('pretoken.v1.json'), request: { userAttributes: { sub: '' } } }],
  ['no attributes', { ...fixture('pretoken.v2.json'), request: {} }],
  ['no request', { triggerSource: 'TokenGeneration_Authentication', userPoolId: POOL }],
  ['no pool', { ...fixture('pretoken.v1.json'), userPoolId: undefined }],
  ['groups of no text', inGroups('pretoken.v1.json', [{ role: 'admin' }])],
  ['nothing', {}],
])('%s: no claims, and the sign-in goes on', async (_, event) => {
  expect(await createPreToken(LEAST_CLAIMS, log)(event)).toEqual(event);
  expect(log).toHaveBeenCalledWith('warn', expect.stringContaining('no claims'), expect.anything());
  expect(JSON.stringify(log.mock.calls)).not.toContain('ada@example.com');
});

describe('roles read from Hasura', () => {
  const withHasura = (endpoint: string) =>
    configured({
      LATCHKEY_ALLOWED_ROLES: 'editor,viewer',
      LATCHKEY_ROLES_QUERY: 'query ($id: String!) { user_roles(where: { user_id: { _eq: $id } }) { role } }',
      HASURA_GRAPHQL_ENDPOINT: endpoint,
      HASURA_GRAPHQL_ADMIN_SECRET: 'secret',
    });
  const rolesWith = async (endpoint: string) =>
    Object(
      v1Claims(await createPreToken(withHasura(endpoint), log)(inGroups('pretoken.v1.json', ['viewer']))),
    )['x-hasura-allowed-roles'];

  test('add to those of the groups, as far as they are allowed', async () => {
    const seen: unknown[] = [];
    server = await serve(async (request, response) => {
      const { text } = await import('node:stream/consumers');
      seen.push(
        request.url,
        request.headers['x-hasura-admin-secret'],
        JSON.parse(await text(request)).variables,
      );
      response.end('{"data":{"user_roles":[{"role":"editor"},{"role":"admin"},{"role":"owner"}]}}');
    });
    expect(await rolesWith(server.url)).toEqual(['user', 'viewer', 'editor']);
    expect(seen).toEqual(['/v1/graphql', 'secret', { id: SUB }]);
  });

  test.each<[string, number, string, RegExp]>([
    [
      'a wrong query',
      200,
      `{"errors":[{"message":"field 'user_roles' not found in type: 'query_root'","extensions":{"code":"validation-failed"}}]}`,
      /refuses LATCHKEY_ROLES_QUERY \(validation-failed\): field 'user_roles' not found/,
    ],
    [
      'an error that may hold a variable',
      200,
      `{"errors":[{"message":"invalid input syntax: ${SUB}","extensions":{"code":"data-exception"}}],"data":{"user_roles":[{"role":"editor"}]}}`,
      /refuses LATCHKEY_ROLES_QUERY \(data-exception\)\. /,
    ],
    [
      'a wrong secret',
      200,
      '{"errors":[{"message":"invalid \\"x-hasura-admin-secret\\"","extensions":{"code":"access-denied"}}]}',
      /refuses HASURA_GRAPHQL_ADMIN_SECRET \(access-denied\)/,
    ],
    [
      'a status that is no success',
      500,
      '{"data":{"user_roles":[{"role":"editor"}]}}',
      /status 500, but not as Hasura/,
    ],
    ['no JSON', 200, '<html>editor</html>', /not as Hasura does: check HASURA_GRAPHQL_ENDPOINT/],
    ['an answer of another shape', 200, '["editor"]', /status 200, but not as Hasura/],
  ])(
    '%s: none of them, the sign-in goes on, and the log says what it is',
    async (_, status, body, reason) => {
      server = await serve((_request, response) => {
        response.statusCode = status;
        response.end(body);
      });
      expect(await rolesWith(server.url)).toEqual(['user', 'viewer']);
      expect(log).toHaveBeenCalledExactlyOnceWith('error', expect.stringMatching(reason));
      // What the token carries all the same: the role of the group is in it.
      expect(log.mock.calls[0]?.[1]).toContain('the token carries user and those of the groups');
      expect(JSON.stringify(log.mock.calls)).not.toContain('secret"');
      expect(JSON.stringify(log.mock.calls)).not.toContain(SUB);
    },
  );

  test('nobody there: none of them, and the address is named', async () => {
    server = await serve(() => {});
    const { url } = server;
    await server.close();
    expect(await rolesWith(url)).toEqual(['user', 'viewer']);
    const reason = `${url} does not answer: the connection is refused: nothing listens there (ECONNREFUSED)`;
    expect(log).toHaveBeenCalledExactlyOnceWith('error', expect.stringContaining(reason));
  });

  test('an answer that does not come is waited for well below the five seconds that Cognito allows', async () => {
    server = await serve(() => {});
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    expect(await rolesWith(server.url)).toEqual(['user', 'viewer']);
    expect(timeout.mock.calls).toEqual([[expect.toSatisfy((ms: number) => ms <= 2_000)]]);
    timeout.mockRestore();
  });
});

describe('attributes as claims', () => {
  const withAttributes = (name: string, attributes: Record<string, unknown>): JsonFixture => {
    const event = fixture(name);
    const request = Object(event.request);
    return {
      ...event,
      request: { ...request, userAttributes: { ...request.userAttributes, ...attributes } },
    };
  };
  const claimsOf = async (claims: string, attributes: Record<string, unknown>) =>
    Object(
      v1Claims(
        await createPreToken(
          configured({ LATCHKEY_CLAIMS: claims }),
          log,
        )(withAttributes('pretoken.v1.json', attributes)),
      ),
    );

  test('only those that are listed, a bare name being that of a custom attribute', async () => {
    const claims = await claimsOf('plan,tenant=tenant_id,language=locale,gone', {
      'custom:plan': 'pro',
      plan: 'not this one',
      'custom:tenant_id': 't1',
      'custom:secret': 'x',
      locale: 'en',
    });
    expect(claims).toEqual({
      ...user,
      'x-hasura-plan': 'pro',
      'x-hasura-tenant': 't1',
      'x-hasura-language': 'en',
      'x-hasura-gone': '',
    });
  });

  test('every value is a text: what is none, or would end a header, is empty', async () => {
    const claims = await claimsOf('a,b,c,d', {
      'custom:a': '7',
      'custom:b': 7,
      'custom:c': 'x\r\nx-hasura-role: admin',
      'custom:d': '{"a","b"}',
    });
    expect(claims).toMatchObject({
      'x-hasura-a': '7',
      'x-hasura-b': '',
      'x-hasura-c': '',
      'x-hasura-d': '{"a","b"}',
    });
  });

  test.each([
    'role',
    'allowed-roles',
    'default-role',
    'user-id',
    'org-ids',
    'identity-tenant',
    'identity-provider',
    'admin-secret',
  ])('%s cannot be listed, and then nothing is: the role user alone', (name) => {
    expect(readClaimsConfig({ LATCHKEY_CLAIMS: `plan,${name}=plan` })).toEqual({
      problem: expect.stringContaining(`LATCHKEY_CLAIMS must not hold ${name}`),
    });
  });

  test('a V2_0 event carries them in both tokens, and as texts', async () => {
    const answer = await createPreToken(
      configured({ LATCHKEY_CLAIMS: 'plan' }),
      log,
    )(withAttributes('pretoken.v2.json', { 'custom:plan': 'pro' }));
    const added = { claimsToAddOrOverride: { [NAMESPACE]: { ...user, 'x-hasura-plan': 'pro' } } };
    expect(answer).toMatchObject({
      response: { claimsAndScopeOverrideDetails: { idTokenGeneration: added, accessTokenGeneration: added } },
    });
  });
});

describe('organizations as a claim', () => {
  const organizationsOf = async (groups: unknown, environment: Record<string, string> = {}) =>
    Object(
      v1Claims(await createPreToken(configured(environment), log)(inGroups('pretoken.v1.json', groups))),
    )['x-hasura-org-ids'];

  test('are all groups, as an array literal that nothing in their names can end', async () => {
    expect(await organizationsOf(['a', 'b"},c\\'])).toBe(`{"${POOL}/a","${POOL}/b\\"},c\\\\"}`);
    expect(await organizationsOf([])).toBe('{}');
    expect(await organizationsOf(null)).toBe('{}');
  });

  test('leave the automatic groups of federated users out, unless they are asked for', async () => {
    const groups = [`${POOL}_Google`, 'a'];
    expect(await organizationsOf(groups)).toBe(`{"${POOL}/a"}`);
    expect(await organizationsOf(groups, { COGNITO_FEDERATED_GROUPS: 'true' })).toBe(
      `{"${POOL}/${POOL}_Google","${POOL}/a"}`,
    );
  });
});
