import { POOL } from '@latchkey/tests/support/cognito';
import { serve } from '@latchkey/tests/support/http';
import { expect, test } from 'vitest';
import { cognitoListing } from '#providers/cognito/directory.ts';
import { connectPools } from '#providers/cognito/pools.ts';
import type { Directory } from '#providers/provider.ts';
import { observeRetries, type Wait } from '#providers/with-retry.ts';
import { configAt, reachCognito } from '../../support/cognito.ts';

async function drain(pages: ReturnType<Directory['pages']>): Promise<void> {
  for await (const page of pages) expect(page).toBeDefined();
}

/** An address where nothing listens. */
async function closedPort(): Promise<string> {
  const { url, close } = await serve(() => {});
  await close();
  return url;
}

test('a closed port is told with its address and cause, in a quarter of a minute, each wait shown', async () => {
  const url = await closedPort();
  const waits: Wait[] = [];
  const began = performance.now();
  const listing = observeRetries(
    (wait) => waits.push(wait),
    () => drain(cognitoListing(connectPools(configAt(url))).pages()),
  );
  await expect(listing).rejects.toMatchObject({
    code: 'provider-unreachable',
    message: `Cognito’s API does not answer at ${url}: the connection is refused: nothing listens there (ECONNREFUSED). Check COGNITO_USER_POOL_ID, COGNITO_ENDPOINT and the way to it, then try again.`,
  });
  expect(waits.map(({ seconds }) => seconds)).toEqual([1, 2, 4, 8]);
  expect(new Set(waits.map(({ reason }) => reason))).toEqual(
    new Set(['the connection is refused: nothing listens there (ECONNREFUSED)']),
  );
  expect(performance.now() - began).toBeLessThan(25_000);
}, 40_000);

test('whoever waits for a webhook is told at once', async () => {
  const url = await closedPort();
  const [pool] = connectPools(configAt(url));
  const began = performance.now();
  await expect(pool?.api.findGroup('editors')).rejects.toMatchObject({
    code: 'provider-unreachable',
    message: expect.stringContaining(`${url}: the connection is refused`),
  });
  expect(performance.now() - began).toBeLessThan(3_000);
});

test('throttling is waited for as long as Cognito says, and shown', async () => {
  let left = 2;
  const { pools } = await reachCognito(() => {
    left -= 1;
    return left >= 0 ? { error: 'TooManyRequestsException' } : { Groups: [], Users: [] };
  });
  const waits: Wait[] = [];
  await observeRetries(
    (wait) => waits.push(wait),
    () => drain(cognitoListing(pools).pages()),
  );
  expect(waits).toEqual([
    { seconds: 1, attempt: 1, attempts: 8, reason: 'Cognito limits the rate (TooManyRequestsException)' },
    { seconds: 2, attempt: 2, attempts: 8, reason: 'Cognito limits the rate (TooManyRequestsException)' },
  ]);
});

test('a refusal is told at once, with the address that refuses', async () => {
  const { pools, config } = await reachCognito(() => ({ error: 'AccessDeniedException' }));
  const waits: Wait[] = [];
  const listing = observeRetries(
    (wait) => waits.push(wait),
    () => drain(cognitoListing(pools).pages()),
  );
  await expect(listing).rejects.toMatchObject({
    message: expect.stringMatching(/does not let the service in.*service-policy\.json/),
  });
  await expect(listing).rejects.toMatchObject({
    message: expect.stringContaining(config.apiEndpoint ?? '?'),
  });
  expect(waits).toEqual([]);
});

test('without another address that of the pool’s region is named', async () => {
  const { pools } = await reachCognito(() => ({}), { apiEndpoint: undefined });
  expect(pools[0]?.config.userPoolId).toBe(POOL);
  const { explain } = await import('#providers/cognito/api-errors.ts');
  const { regionalAddress } = await import('#providers/cognito/pool.ts');
  const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  expect(() => explain(error, regionalAddress(POOL))).toThrow(
    'does not answer at https://cognito-idp.eu-west-1.amazonaws.com: its host name is not found (DNS)',
  );
});
