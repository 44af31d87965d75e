import { expect, test } from 'vitest';
import { providersByIssuer } from '#auth/issuers.ts';
import { createClerk } from '#providers/clerk/index.ts';
import { createCognito } from '#providers/cognito/index.ts';
import { NOTHING_STORED } from '../support/casdoor.ts';
import { CONFIG as CLERK } from '../support/clerk.ts';
import { CONFIG as COGNITO } from '../support/cognito.ts';

const cognito = createCognito(COGNITO, NOTHING_STORED, []);
const [pool] = cognito.tokens.engineAuth().issuers;
const withClerk = (...furtherIssuers: string[]) => {
  const clerk = createClerk({ ...CLERK, frontendApiUrl: 'https://clerk.example.com', furtherIssuers });
  return () =>
    providersByIssuer(
      new Map([
        ['clerk', clerk],
        ['cognito', cognito],
      ]),
    );
};

test('each of a provider’s issuers leads to it', () => {
  const found = [...withClerk('https://clerk.satellite.example')()].map(([issuer, { name }]) => [
    issuer,
    name,
  ]);
  expect(found).toEqual([
    ['https://clerk.example.com', 'clerk'],
    ['https://clerk.satellite.example', 'clerk'],
    [pool, 'cognito'],
  ]);
});

test('an issuer that two providers are set up with is refused: its tokens would be the one’s or the other’s', () => {
  expect(withClerk(pool)).toThrow(
    expect.objectContaining({
      code: 'configuration-invalid',
      message: expect.stringContaining(`${pool} is the issuer of clerk and of cognito`),
    }),
  );
});
