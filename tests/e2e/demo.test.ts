import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { readTarget } from '../support/target.ts';

const ROOT = join(import.meta.dirname, '..', '..');

async function demo(env: Record<string, string> = {}): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts', 'latchkey.js'), 'demo'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its data are thrown away, so it must not be given the database of the tests.
    env: { ...process.env, LATCHKEY_DATABASE_URL: '', ...env },
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, output: stdout + stderr };
}

const target = readTarget();
const engine =
  target.kind === 'command' ? target.command : `"${process.execPath}" packages/engine/src/main.ts`;

describe.skipIf(target.kind === 'docker')('npm run demo', { timeout: 120_000 }, () => {
  test('holds at every step', async () => {
    const { code, output } = await demo();
    expect(output).toMatch(/\nAll \d+ checks hold/);
    expect(output).not.toContain('✗');
    expect(code).toBe(0);
  });

  test.each([
    [
      'an engine that lets anybody in as a user',
      'HASURA_GRAPHQL_UNAUTHORIZED_ROLE=user',
      '✗ without a token',
    ],
    [
      'an engine that trusts another issuer',
      `HASURA_GRAPHQL_JWT_SECRET='{"type":"HS256","key":"${'k'.repeat(32)}"}'`,
      '✗ Ada sees herself',
    ],
  ])('fails with %s', async (_what, setting, broken) => {
    const { code, output } = await demo({ LATCHKEY_ENGINE: `export ${setting}; ${engine}` });
    expect(output).toContain(broken);
    expect(output).toMatch(/\n\d+ of \d+ checks do not hold\./);
    expect(code).toBe(1);
  });
});
