import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type ClaimsConfig,
  LEAST_CLAIMS,
  readClaimsConfig,
} from '../../../../services/cognito-triggers/config.ts';
import { createPreToken } from '../../../../services/cognito-triggers/pre-token.ts';
import { CLIENT, fixture, type JsonFixture, SUB } from '../../../support/cognito.ts';
import { type LocalServer, serve } from '../../../support/http.ts';

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
    expect(Object.keys(Object(v1Claims(answer))).toSorted()).toEqual(
      Object.keys(Object(v1Claims(recorded))).toSorted(),
    );
  });

  test('events of the local stand-in, which leave the groups out, are understood', async () => {
    const { events } = fixture('cognito-local.captured-triggers.json');
    for (const { function: name, event } of Array.isArray(events) ? events : []) {
      if (name === 'pretoken') expect(v1Claims(await createPreToken(LEAST_CLAIMS, log)(event))).toEqual(user);
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
    const placesOf = (event: object) => {
      const { claimsAndScopeOverrideDetails: details } = Object('response' in event && event.response);
      return ['idTokenGeneration', 'accessTokenGeneration'].map((token) =>
        Object.keys(details[token].claimsToAddOrOverride[NAMESPACE]).toSorted(),
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
  ['no request', { triggerSource: 'TokenGeneration_Authentication' }],
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

  test.each<[string, number, string]>([
    ['an error of GraphQL', 200, '{"errors":[{"message":"x"}],"data":{"user_roles":[{"role":"editor"}]}}'],
    ['a status that is no success', 500, '{"data":{"user_roles":[{"role":"editor"}]}}'],
    ['no JSON', 200, '<html>editor</html>'],
    ['an answer of another shape', 200, '["editor"]'],
  ])('%s: none of them, and the sign-in goes on', async (_, status, body) => {
    server = await serve((_request, response) => {
      response.statusCode = status;
      response.end(body);
    });
    expect(await rolesWith(server.url)).toEqual(['user', 'viewer']);
    expect(log).toHaveBeenCalledWith('error', expect.stringContaining('Hasura'), expect.anything());
    expect(JSON.stringify(log.mock.calls)).not.toContain('secret"');
  });

  test('nobody there: none of them', async () => {
    server = await serve(() => {});
    const { url } = server;
    await server.close();
    expect(await rolesWith(url)).toEqual(['user', 'viewer']);
  });

  test('an answer that does not come is waited for well below the five seconds that Cognito allows', async () => {
    server = await serve(() => {});
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    expect(await rolesWith(server.url)).toEqual(['user', 'viewer']);
    expect(timeout.mock.calls).toEqual([[expect.toSatisfy((ms: number) => ms <= 2_000)]]);
    timeout.mockRestore();
  });
});
