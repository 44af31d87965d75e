import { text } from 'node:stream/consumers';
import { serve } from '@latchkey/tests/support/http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startLocalCasdoor } from '#stand-ins/casdoor/index.ts';
import { startLocalClerk } from '#stand-ins/clerk/index.ts';
import { startLocalCognito } from '#stand-ins/cognito/index.ts';
import type { LocalProvider } from '#stand-ins/core/index.ts';

type Case = {
  start(): Promise<LocalProvider>;
  /** Events of the same kind, of which some are to fail. */
  types: string;
  /** A call of the API by this name, as the service makes it. */
  path: string;
  call(provider: LocalProvider, signal?: AbortSignal): Promise<Response>;
  /** How the provider answers one call too many, and a failure of its own. */
  statuses: [tooMany: number, failure: number];
};

const CASES: Record<string, Case> = {
  Clerk: {
    start: () => startLocalClerk({ port: 0, scheduleMs: [20, 40] }),
    types: 'user.created',
    path: '/v1/users*',
    call: ({ url }, signal = AbortSignal.timeout(5_000)) => fetch(`${url}/v1/users/count`, { signal }),
    statuses: [429, 500],
  },
  Casdoor: {
    start: () => startLocalCasdoor({ port: 0, pace: { pollMs: 5, retryMs: 10 } }),
    types: 'new-user',
    path: '/api/get-users',
    call: ({ url }, signal = AbortSignal.timeout(5_000)) =>
      fetch(`${url}/api/get-users?owner=acme`, { signal }),
    statuses: [429, 500],
  },
  Cognito: {
    start: () => startLocalCognito({ port: 0 }),
    types: 'PostConfirmation_*',
    path: 'List*',
    call: ({ url, serviceEnvironment }, signal = AbortSignal.timeout(5_000)) =>
      fetch(url, {
        method: 'POST',
        headers: {
          authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/local/cognito-idp/aws4_request',
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'AWSCognitoIdentityProviderService.ListUsers',
        },
        body: JSON.stringify({ UserPoolId: serviceEnvironment.COGNITO_USER_POOL_ID }),
        signal,
      }),
    statuses: [400, 500],
  },
};

describe.each(Object.entries(CASES))('the local %s', (_name, { start, types, path, call, statuses }) => {
  let provider: LocalProvider;
  let received: string[];
  let receiver: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    provider = await start();
    receiver = await serve(async (request, response) => {
      received.push(await text(request));
      response.writeHead(204).end();
    });
    provider.deliverTo(receiver.url);
  });
  beforeEach(() => {
    received = [];
  });
  afterEach(() => faults('DELETE'));
  afterAll(async () => {
    await provider.close();
    await receiver.close();
  });

  const faults = (method: string, fields?: Record<string, string>) =>
    fetch(`${provider.url}/faults`, { method, ...(fields && { body: new URLSearchParams(fields) }) });
  let people = 0;
  const signUp = async (): Promise<string> => {
    people += 1;
    const email = `one${people}@example.com`;
    const body = new URLSearchParams({ email });
    const { status } = await fetch(`${provider.url}/sign-up`, { method: 'POST', body });
    expect(status).toBe(200);
    return email;
  };
  /** How often a webhook came of each kind that the fault is about. */
  const arrived = () => received.filter((body) => matchesType(body, types)).length;

  test('sends a webhook again that was dropped on its way', async () => {
    expect((await faults('POST', { fault: 'drop', times: '1', types })).status).toBe(201);
    await signUp();
    await expect.poll(arrived).toBe(1);
    expect(await (await faults('GET')).json()).toMatchObject([{ fault: 'drop', applied: 1 }]);
  });

  test('sends a webhook twice', async () => {
    await faults('POST', { fault: 'duplicate', times: '1', types });
    await signUp();
    await expect.poll(arrived).toBe(2);
  });

  test('never sends one that is lost', async () => {
    await faults('POST', { fault: 'lose', times: '1', types });
    await signUp();
    await signUp();
    await expect.poll(arrived).toBe(1);
  });

  test('sends one later, and what comes after it before', async () => {
    await faults('POST', { fault: 'delay', times: '1', types, ms: '600' });
    const began = performance.now();
    await signUp();
    await expect.poll(arrived).toBe(1);
    expect(performance.now() - began).toBeGreaterThan(590);
  });

  test('answers calls of its API with 429, 500 or not at all, and then as usual', async () => {
    const usual = (await call(provider)).status;
    await faults('POST', { fault: '429', times: '1', paths: path, retry_after: '3' });
    const tooMany = await call(provider);
    expect([tooMany.status, tooMany.headers.get('retry-after')]).toEqual([statuses[0], '3']);
    await faults('POST', { fault: '500', times: '1', paths: path });
    expect((await call(provider)).status).toBe(statuses[1]);
    await faults('POST', { fault: 'timeout', times: '1', paths: path, ms: '50' });
    await expect(call(provider)).rejects.toThrow('fetch failed');
    expect((await call(provider)).status).toBe(usual);
  });

  test('still lets people sign up and get tokens while its API fails', async () => {
    await faults('POST', { fault: '500' });
    const email = await signUp();
    expect((await fetch(`${provider.url}/token?user=${email}`)).status).toBe(200);
    expect((await faults('DELETE')).status).toBe(204);
    expect(await (await faults('GET')).json()).toEqual([]);
  });

  test('says what is wrong with a fault', async () => {
    const answer = await faults('POST', { fault: 'explode' });
    expect([answer.status, await answer.json()]).toMatchObject([400, { message: /^fault: must be one of/ }]);
  });
});

function matchesType(body: string, types: string): boolean {
  const event = JSON.parse(body) as { type?: string; action?: string };
  return (event.type ?? event.action ?? '').startsWith(types.replace('*', ''));
}
