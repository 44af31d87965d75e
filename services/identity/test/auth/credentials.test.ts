import { expect, test } from 'vitest';
import { type HeaderList, readCredentials } from '#auth/credentials.ts';

const refusal = expect.objectContaining({ code: 'token-invalid' });

test.each<[string, HeaderList, string | undefined, string | undefined]>([
  ['nothing', [], undefined, undefined],
  ['a token', [['Authorization', 'Bearer a.b-_.c']], 'a.b-_.c', undefined],
  ['in lower case', [['authorization', 'bearer a.b.c']], 'a.b.c', undefined],
  ['in upper case, with spaces', [['AUTHORIZATION', '  BEARER   a.b.c ']], 'a.b.c', undefined],
  [
    'a role',
    [
      ['authorization', 'Bearer a.b.c'],
      ['X-Hasura-Role', 'editor'],
    ],
    'a.b.c',
    'editor',
  ],
  ['an empty role, which is none', [['x-hasura-role', '']], undefined, undefined],
  ['an unsigned token, which is refused later', [['authorization', 'Bearer a.b.']], 'a.b.', undefined],
  [
    'other headers, which say nothing',
    [
      ['cookie', 'authorization=Bearer a.b.c; token=a.b.c'],
      ['x-authorization', 'Bearer a.b.c'],
      ['proxy-authorization', 'Bearer a.b.c'],
      ['x-hasura-user-id', 'somebody'],
    ],
    undefined,
    undefined,
  ],
])('%s', (_what, headers, token, role) => {
  expect(readCredentials(headers)).toEqual({ token, role });
});

test.each<[string, HeaderList]>([
  ['another scheme', [['authorization', 'Basic YTpi']]],
  ['no scheme', [['authorization', 'a.b.c']]],
  ['an empty header', [['authorization', '']]],
  ['no token', [['authorization', 'Bearer ']]],
  ['two parts', [['authorization', 'Bearer a.b']]],
  ['five parts', [['authorization', 'Bearer a.b.c.d.e']]],
  ['two tokens in one', [['authorization', 'Bearer a.b.c, Bearer d.e.f']]],
  ['more after the token', [['authorization', 'Bearer a.b.c d.e.f']]],
  ['letters of no token', [['authorization', 'Bearer а.b.c']]],
  ['padding', [['authorization', 'Bearer a=.b.c']]],
  ['a token as long as a book', [['authorization', `Bearer a.${'b'.repeat(32 * 1024)}.c`]]],
  [
    'two headers',
    [
      ['authorization', 'Bearer a.b.c'],
      ['Authorization', 'Bearer a.b.c'],
    ],
  ],
  [
    'two roles',
    [
      ['x-hasura-role', 'user'],
      ['X-HASURA-ROLE', 'user'],
    ],
  ],
])('refused: %s', (_what, headers) => {
  expect(() => readCredentials(headers)).toThrow(refusal);
});
