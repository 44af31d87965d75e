import { COGNITO_HINT } from '@latchkey/core/cognito-hint';
import { fixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { describe, expect, test } from 'vitest';
import { apiCallHint, signInHint } from '#hint.ts';

const at = new Date('2026-01-01T00:00:10.500Z');

describe('sign-ins', () => {
  test.each([
    ['postconfirmation.json', 'PostConfirmation_ConfirmSignUp'],
    ['postauthentication.json', 'PostAuthentication_Authentication'],
  ])('%s is forwarded under the id of the invocation', (name, type) => {
    expect(signInHint(fixture(name), 'request-1', at)).toEqual({
      id: 'request-1',
      hint: {
        type,
        timestamp: '2026-01-01T00:00:10.500Z',
        data: { userPoolId: POOL, sub: SUB, userName: SUB },
      },
    });
  });

  test('a confirmed new password is not', () => {
    expect(signInHint(fixture('postconfirmation.forgot-password.json'), 'request-1', at)).toBeUndefined();
  });

  test.each([
    'presignup.signup.json',
    'presignup.admin-create-user.json',
    'presignup.external-provider.json',
  ])('%s: nor is a sign-up that is only about to happen, even where it names a sub', (name) => {
    const event = fixture(name);
    expect(signInHint(event, 'request-1', at)).toBeUndefined();
    const named = { ...event, request: { userAttributes: { sub: SUB } } };
    expect(signInHint(named, 'request-1', at)).toBeUndefined();
  });

  test('nor is what names no user', () => {
    const event = fixture('postconfirmation.json');
    expect(signInHint({ ...event, request: { userAttributes: {} } }, 'request-1', at)).toBeUndefined();
    expect(signInHint(null, 'request-1', at)).toBeUndefined();
  });

  test('those of the local stand-in are understood', () => {
    const { events } = fixture('cognito-local.captured-triggers.json');
    const forwarded = (Array.isArray(events) ? events : [])
      .filter(({ function: name }) => name === 'postconf' || name === 'postauth')
      .map(({ event }) => signInHint(event, 'r', at)?.hint.data.sub);
    expect(forwarded).toEqual([SUB, SUB]);
  });
});

describe('calls of the API', () => {
  test.each([
    'AdminAddUserToGroup',
    'AdminDeleteUser',
    'AdminDisableUser',
    'AdminUpdateUserAttributes',
    'DeleteUser',
  ])('%s is forwarded under CloudTrail’s id, keyed on the sub, with nothing that is masked', (operation) => {
    const forwarded = apiCallHint(fixture(`cloudtrail.${operation}.json`));
    expect(forwarded).toEqual({
      id: '33333333-0000-4000-8000-000000000003',
      hint: {
        type: operation,
        timestamp: '2026-01-01T00:00:10Z',
        data: {
          sub: SUB,
          ...(operation !== 'DeleteUser' && { userPoolId: POOL }),
          ...(operation === 'AdminAddUserToGroup' && { groupName: 'admins' }),
        },
      },
    });
    expect(COGNITO_HINT.safeParse(forwarded?.hint).success).toBe(true);
  });

  const changed = (changes: Record<string, unknown>) => {
    const event = fixture('cloudtrail.AdminAddUserToGroup.json');
    return { ...event, detail: { ...Object(event.detail), ...changes } };
  };

  test('a call about a group alone is forwarded', () => {
    const event = changed({ eventName: 'DeleteGroup', additionalEventData: null });
    expect(apiCallHint(event)?.hint).toMatchObject({ type: 'DeleteGroup', data: { groupName: 'admins' } });
  });

  test.each<[string, unknown]>([
    ['a call that failed', changed({ errorCode: 'UserNotFoundException' })],
    ['a call to another service', changed({ eventSource: 's3.amazonaws.com' })],
    [
      'a call that names nobody',
      changed({ additionalEventData: {}, requestParameters: { username: 'HIDDEN_DUE_TO_SECURITY_REASONS' } }),
    ],
    [
      'a call whose group is masked and whose user is not named',
      changed({
        additionalEventData: null,
        requestParameters: { groupName: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
      }),
    ],
    ['no event', { detail: 7 }],
    ['nothing', undefined],
  ])('%s: nothing to forward', (_, event) => {
    expect(apiCallHint(event)).toBeUndefined();
  });
});
