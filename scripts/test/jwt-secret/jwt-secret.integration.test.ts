import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { folder, latchkey, oneLine } from '../support/run-latchkey.ts';
import { KEY, SECRET } from './clerk.ts';

test('makes the setting of the publishable key, of the Frontend API URL, or of the environment', () => {
  const calls = [
    latchkey(['jwt-secret', '--publishable-key', KEY]),
    latchkey(['jwt-secret', '--frontend-api', 'https://clerk.example.com/']),
    latchkey(['jwt-secret'], { CLERK_PUBLISHABLE_KEY: KEY }),
    latchkey(['jwt-secret'], { CLERK_FRONTEND_API_URL: 'https://clerk.example.com' }),
  ];
  for (const { status, stdout } of calls) expect([status, JSON.parse(stdout)]).toEqual([0, SECRET]);
});

test('makes a line for .env that a shell and Node read alike', async () => {
  const { stdout } = latchkey(['jwt-secret', '--env', '--publishable-key', KEY]);
  expect(JSON.parse(parseEnv(stdout).HASURA_GRAPHQL_JWT_SECRET ?? '')).toEqual(SECRET);
  const file = join(folder, '.env');
  await writeFile(file, stdout);
  const shell = spawnSync('sh', ['-c', '. "$1"; printf %s "$HASURA_GRAPHQL_JWT_SECRET"', 'sh', file], {
    encoding: 'utf8',
  });
  expect(JSON.parse(shell.stdout)).toEqual(SECRET);
});

test('tells what to paste into Clerk’s dashboard beside the setting, not in it', () => {
  const { stderr } = latchkey(['jwt-secret', '--publishable-key', KEY]);
  expect(stderr).toContain('JWT templates');
  expect(stderr).toContain(`"x-hasura-org-id": "{{org.id || ''}}"`);
  expect(stderr).toContain('/webhooks/clerk');
  expect(latchkey(['jwt-secret', '--quiet', '--publishable-key', KEY]).stderr).toBe('');
});

test('behind a proxy takes the issuer with its path', () => {
  const { status, stdout } = latchkey(['jwt-secret', '--frontend-api', 'https://app.example.com/__clerk']);
  expect([status, JSON.parse(stdout)]).toEqual([
    0,
    {
      jwk_url: 'https://app.example.com/__clerk/.well-known/jwks.json',
      issuer: 'https://app.example.com/__clerk',
      allowed_skew: 5,
    },
  ]);
});

test('of several issuers says which Hasura itself trusts, and what the others need', () => {
  const env = { CLERK_PUBLISHABLE_KEY: KEY, CLERK_ISSUERS: 'https://clerk.satellite.example' };
  const plain = latchkey(['jwt-secret'], env);
  expect(plain.stderr).toContain('Hasura will trust tokens of https://clerk.example.com. In');
  expect(plain.stderr).toMatch(/Tokens of https:\/\/clerk\.satellite\.example .*jwt-secret --strict/);
  const strict = latchkey(['jwt-secret', '--strict'], env);
  expect(strict.stderr).toContain(
    'Hasura will trust tokens of https://clerk.example.com, https://clerk.satellite.example. In',
  );
  expect(strict.stderr).not.toContain('jwt-secret --strict');
});

test('names what is missing or wrong', () => {
  expect(latchkey(['jwt-secret'])).toMatchObject({
    status: 2,
    stderr: oneLine(/.*CLERK_PUBLISHABLE_KEY is missing.*/),
  });
  expect(latchkey(['jwt-secret', '--publishable-key', 'pk_test_nonsense'])).toMatchObject({
    status: 2,
    stderr: oneLine(/.*is not a publishable key.*/),
  });
  expect(latchkey(['jwt-secret', '--frontend-api', 'ftp://clerk.example.com'])).toMatchObject({
    status: 2,
    stderr: oneLine(/.*CLERK_FRONTEND_API_URL must be where Clerk’s Frontend API is, such as .*/),
  });
});
