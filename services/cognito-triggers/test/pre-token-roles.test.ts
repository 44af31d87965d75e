import { SUB } from '@latchkey/tests/support/cognito';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createPreToken } from '#pre-token.ts';
import { configured, inGroups, v1Claims } from './support/pre-token.ts';

const log = vi.fn();
let server: LocalServer | undefined;
afterEach(async () => {
  log.mockReset();
  await server?.close();
  server = undefined;
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
