import { CLIENT, fixture, POOL } from '@latchkey/tests/support/cognito';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LEAST_CLAIMS } from '#config.ts';
import { createPreToken } from '#pre-token.ts';
import { configured, inGroups, NAMESPACE, user, v1Claims } from './support/pre-token.ts';

const log = vi.fn();
afterEach(() => log.mockReset());

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
