import { text } from 'node:stream/consumers';
import { cognitoVerifier } from '@latchkey/identity/providers/cognito/verify';
import { fixture, SECRET, SUB } from '@latchkey/tests/support/cognito';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createForward } from '#forward.ts';
import { createForwardEvent } from '#forward-event.ts';
import { createForwardSignIn } from '#forward-sign-in.ts';

const OLD_SECRET = `whsec_${Buffer.from('another key of thirty-two bytes!').toString('base64')}`;
const log = vi.fn();
const invocation = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 4_900 };

/** The service: verifies as it does, and answers what the test says; the last answer stays. */
let answers: { status: number; retryAfter?: string; hang?: boolean }[];
let received: { id: string; body: string }[];
let server: LocalServer;
beforeEach(async () => {
  log.mockReset();
  answers = [{ status: 204 }];
  received = [];
  const verify = cognitoVerifier([OLD_SECRET, SECRET]);
  server = await serve(async (request, response) => {
    const body = Buffer.from(await text(request));
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    received.push(verify({ headers: request.headers, body, receivedAt: 1 }));
    if (answer?.hang === true) return;
    response.statusCode = answer?.status ?? 500;
    if (answer?.retryAfter !== undefined) response.setHeader('retry-after', answer.retryAfter);
    response.end('{}');
  });
});
afterEach(() => server.close());

const forwardTo = (url: string) => createForward({ url, secret: SECRET });

describe('sign-ins', () => {
  const signIn = (url = server.url) => createForwardSignIn(forwardTo(url), log);

  test('reach the service, signed so that it believes them, and the event goes back as it came', async () => {
    const event = fixture('postconfirmation.json');
    expect(await signIn()(event, invocation)).toBe(event);
    expect(received).toMatchObject([{ id: 'request-1' }]);
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      type: 'PostConfirmation_ConfirmSignUp',
      data: { sub: SUB },
    });
  });

  test('nothing personal is sent or logged', async () => {
    await signIn()(fixture('postauthentication.json'), invocation);
    answers = [{ status: 401 }];
    await signIn()(fixture('postauthentication.json'), invocation);
    expect(JSON.stringify(received)).not.toContain('ada@example.com');
    expect(JSON.stringify(log.mock.calls)).not.toContain(SUB);
  });

  test('a service that stumbles is asked again, with the same id', async () => {
    answers = [{ status: 503 }, { status: 502 }, { status: 204 }];
    await signIn()(fixture('postconfirmation.json'), invocation);
    expect(received.map(({ id }) => id)).toEqual(['request-1', 'request-1', 'request-1']);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(log).toHaveBeenCalledExactlyOnceWith('info', 'Forwarded.', expect.anything());
  });

  test.each([429, 500, 599])('a service that answers %i is asked again', async (status) => {
    answers = [{ status }, { status: 204 }];
    await signIn()(fixture('postconfirmation.json'), invocation);
    expect(received).toHaveLength(2);
  });

  test('a service that says when to come back is not asked before that', async () => {
    answers = [{ status: 503, retryAfter: '1' }, { status: 204 }];
    const began = performance.now();
    await signIn()(fixture('postconfirmation.json'), invocation);
    expect(received).toHaveLength(2);
    expect(performance.now() - began).toBeGreaterThanOrEqual(990);
  });

  test.each<[string, { status: number; retryAfter?: string }, string]>([
    ['wants to be asked later than the sign-in can wait', { status: 503, retryAfter: '30' }, 'status 503'],
    ['does not believe the signature', { status: 401 }, 'COGNITO_WEBHOOK_SECRET'],
    ['does not understand it', { status: 400 }, 'ledger'],
  ])('a service that %s is asked once, and the person signs in', async (_, answer, fix) => {
    answers = [answer];
    const event = fixture('postauthentication.json');
    expect(await signIn()(event, invocation)).toBe(event);
    expect(received).toHaveLength(1);
    expect(log).toHaveBeenCalledExactlyOnceWith('error', expect.stringContaining(fix), expect.anything());
  });

  test('a service that is not there keeps nobody from signing in', async () => {
    await server.close();
    const event = fixture('postauthentication.json');
    const hurried = { ...invocation, getRemainingTimeInMillis: () => 900 };
    expect(await signIn()(event, hurried)).toBe(event);
    expect(log).toHaveBeenCalledExactlyOnceWith(
      'error',
      expect.stringMatching(/at http:\/\/127\.0\.0\.1:\d+ \(the connection is refused.*LATCHKEY_WEBHOOK_URL/),
      expect.anything(),
    );
  });

  test('a service that hangs is given up within the time that Cognito allows', async () => {
    answers = [{ status: 200, hang: true }];
    const event = fixture('postauthentication.json');
    let budget: number | undefined;
    const forward = forwardTo(server.url);
    const signIn = createForwardSignIn((forwarded, patience) => {
      budget = patience.budgetMs;
      return forward(forwarded, { ...patience, budgetMs: 300 });
    }, log);
    expect(await signIn(event, invocation)).toBe(event);
    expect(received).toHaveLength(1);
    expect(budget).toBeLessThanOrEqual(4_000);
    expect(log).toHaveBeenCalledExactlyOnceWith('error', expect.anything(), expect.anything());
  });

  test('a redirect is not followed: the signature is for the service alone', async () => {
    const thief = await serve((_request, response) =>
      response.writeHead(307, { location: server.url }).end(),
    );
    const hurried = { ...invocation, getRemainingTimeInMillis: () => 900 };
    await signIn(thief.url)(fixture('postauthentication.json'), hurried);
    await thief.close();
    expect(received).toEqual([]);
  });

  test('without a configuration nothing is sent, and people sign in', async () => {
    const event = fixture('postauthentication.json');
    expect(await createForwardSignIn(undefined, log)(event, invocation)).toBe(event);
  });

  test('a confirmed new password is not sent', async () => {
    const event = fixture('postconfirmation.forgot-password.json');
    expect(await signIn()(event, invocation)).toBe(event);
    expect(received).toEqual([]);
  });
});

describe('calls of the API', () => {
  const forwardEvent = () => createForwardEvent(forwardTo(server.url), log);

  test('reach the service under their own id', async () => {
    await forwardEvent()(fixture('cloudtrail.AdminDeleteUser.json'), invocation);
    expect(received).toMatchObject([{ id: '33333333-0000-4000-8000-000000000003' }]);
  });

  test.each([401, 400, 503])('answered with %i they throw, so that AWS invokes again', async (status) => {
    answers = [{ status, ...(status === 503 && { retryAfter: '60' }) }];
    await expect(forwardEvent()(fixture('cloudtrail.DeleteUser.json'), invocation)).rejects.toThrow(
      `status ${status}`,
    );
  });

  test('that failed are dropped', async () => {
    const event = fixture('cloudtrail.AdminDeleteUser.json');
    const failed = { ...event, detail: { ...Object(event.detail), errorCode: 'UserNotFoundException' } };
    await forwardEvent()(failed, invocation);
    expect(received).toEqual([]);
  });
});
