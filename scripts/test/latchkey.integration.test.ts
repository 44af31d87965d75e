import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, latchkey, oneLine, PROGRAM, ROOT } from './support/run-latchkey.ts';

test('without a command, and when asked, the commands are listed', () => {
  expect(latchkey([])).toMatchObject({ status: 2, stderr: expect.stringContaining('jwt-secret') });
  const { status, stdout } = latchkey(['--help']);
  expect(status).toBe(0);
  for (const name of ['start', 'demo', 'jwt-secret', 'apply'])
    expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
});

test.each(['start', 'demo', 'jwt-secret', 'apply'])('%s --help tells its options', (name) => {
  const { status, stdout, stderr } = latchkey([name, '--help']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`latchkey ${name} [options]`);
  expect(stdout).toContain('--help');
});

test('a command’s help can be asked for in either way, and a group lists its commands', () => {
  expect(latchkey(['help', 'apply'])).toEqual(latchkey(['apply', '--help']));
  const group = latchkey(['sync']);
  expect(group).toMatchObject({ status: 2, stdout: '', stderr: latchkey(['sync', '--help']).stdout });
  for (const name of ['backfill', 'drift', 'repair'])
    expect(group.stderr).toMatch(new RegExp(`^ {2}${name} `, 'm'));
});

test('--version prints the version of the project', async () => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  expect(latchkey(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
});

test.each([
  [['aply'], /latchkey: unknown command 'aply' \(did you mean apply\?\); latchkey --help .*/],
  [['--verbose'], /latchkey: unknown option '--verbose'; latchkey --help .*/],
  [['apply', '--force'], /latchkey apply: unknown option '--force'; latchkey apply --help .*/],
  [['apply', '--dryrun'], /latchkey apply: unknown option '--dryrun' \(did you mean --dry-run\?\); .*/],
  [['apply', 'everything'], /latchkey apply: .*everything.*/],
  [['apply', '--endpoint'], /latchkey apply: .*endpoint.*/],
  [['apply', '--admin-secret', '--dry-run'], /latchkey apply: .*give --admin-secret=--dry-run\./],
  [
    ['sync', 'drft'],
    /latchkey sync: unknown command 'drft' \(did you mean drift\?\); latchkey sync --help .*/,
  ],
  [
    ['sync', 'drift', '--jsn'],
    /latchkey sync drift: .*\(did you mean --json\?\); latchkey sync drift --help .*/,
  ],
  [['revoke', 'a', 'b'], /latchkey revoke: It takes one <user-id>, and 2 were given; .*/],
  [['completion', 'tcsh'], /latchkey completion: .*'tcsh'.*bash, zsh, fish; .*/],
])('wrong use, as in %j, is refused in one line that says what to do', (args, line) => {
  expect(latchkey(args)).toEqual({ status: 2, stdout: '', stderr: oneLine(line) });
});

describe('colours', () => {
  const ESCAPE = '\u001b[';
  const FORCED = { FORCE_COLOR: '1' };

  test('are not in pipes', () => {
    expect(latchkey(['--help'], { CI: 'true' }).stdout).not.toContain(ESCAPE);
    expect(latchkey(['aply'], { CI: 'true' }).stderr).not.toContain(ESCAPE);
  });

  test('are where a terminal reads, and are taken back by NO_COLOR and --no-color', () => {
    expect(latchkey(['--help'], FORCED).stdout).toContain(ESCAPE);
    expect(latchkey(['aply'], FORCED).stderr).toContain(ESCAPE);
    for (const { stdout, stderr } of [
      latchkey(['--help', '--no-color'], FORCED),
      latchkey(['apply', '--no-color', '--force'], FORCED),
      latchkey(['--help'], { NO_COLOR: '1' }),
    ]) {
      expect(stdout + stderr).not.toContain(ESCAPE);
    }
  });
});

test('the help loads no command, and with it nothing that talks to a cloud', () => {
  const trace = join(folder, 'trace.mjs');
  writeFileSync(
    trace,
    `import { registerHooks } from 'node:module';
     registerHooks({ resolve(name, context, next) {
       const found = next(name, context);
       console.error(found.url);
       return found;
     } });`,
  );
  const { stdout, stderr } = latchkey(['--help'], {}, ['--import', trace, PROGRAM]);
  expect(stdout).toContain('Commands:');
  expect(stderr).toContain('/commander/');
  expect(stderr).not.toMatch(/aws|fastify|graphql|optique|zod|scripts\/(start|sync|apply|revoke)/);
});
