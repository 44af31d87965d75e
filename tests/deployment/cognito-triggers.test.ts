import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTriggers } from '@latchkey/cognito-triggers/build';
import { type LocalLambda, startLocalLambda } from '@latchkey/local/stand-ins/cognito';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixture, POOL, SECRET, SUB } from '../support/cognito.ts';

// The very files that are uploaded, with the variables that somebody has set, or forgotten.

let folder: string;
let files: Awaited<ReturnType<typeof buildTriggers>>;
let lambda: LocalLambda;
const lines: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-triggers-'));
  files = await buildTriggers(folder);
  lambda = await startLocalLambda({ functions: files, onLine: (line) => lines.push(line) });
});
afterAll(async () => {
  await lambda?.close();
  await rm(folder, { recursive: true, force: true });
});

test('each function is one file of less than 250 KB, with messages in one language', async () => {
  for (const file of Object.values(files)) {
    const text = await readFile(file, 'utf8');
    expect(text.length).toBeLessThan(250_000);
    expect(text).toContain('Invalid input');
    expect(text).not.toContain('Ungültige Eingabe');
  }
});

test('the function that adds claims works without any variables', async () => {
  lambda.configure({});
  const answer = await lambda.invoke('pre-token-generation', fixture('pretoken.v2.json'));
  expect(JSON.stringify(answer)).toContain(`"x-hasura-user-id":"${SUB}"`);
  expect(JSON.stringify(answer)).toContain(`"x-hasura-identity-tenant":"${POOL}"`);
});

test('a setting that cannot be kept is named in the log, and people sign in', async () => {
  lines.length = 0;
  lambda.configure({ LATCHKEY_ALLOWED_ROLES: 'admin' });
  const answer = await lambda.invoke('pre-token-generation', fixture('pretoken.v1.json'));
  expect(JSON.stringify(answer)).toContain('x-hasura-user-id');
  await expect
    .poll(() => lines.join('\n'))
    .toMatch(/LATCHKEY_ALLOWED_ROLES must not hold the role admin.* people carry the role user alone/);
});

test.each([
  [
    'nothing',
    {},
    /LATCHKEY_WEBHOOK_URL is missing: set it to .*COGNITO_WEBHOOK_SECRET is missing: set it to/,
  ],
  ['no address', { COGNITO_WEBHOOK_SECRET: SECRET }, /LATCHKEY_WEBHOOK_URL is missing: set it to/],
])('with %s set, the functions that forward say which variables are missing', async (_, variables, text) => {
  lines.length = 0;
  lambda.configure(variables);
  const event = fixture('postauthentication.json');
  expect(await lambda.invoke('forward-sign-in', event)).toEqual(event);
  await expect.poll(() => lines.join('\n')).toMatch(text);
  await expect(lambda.invoke('forward-event', fixture('cloudtrail.DeleteUser.json'))).rejects.toThrow(text);
  expect(lines.join('\n')).not.toContain('received undefined');
});
