import { expect, test } from 'vitest';
import { latchkey, oneLine } from './support/run-latchkey.ts';

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

test('what is not known is refused in one line', () => {
  expect(latchkey(['aply'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey: unknown command aply; .*--help.*/),
  });
  expect(latchkey(['--verbose'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey: unknown option --verbose; .*/),
  });
  expect(latchkey(['apply', '--force'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey apply: Unknown option '--force'; latchkey apply --help .*/),
  });
  expect(latchkey(['apply', 'everything'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey apply: .*everything.*/),
  });
  expect(latchkey(['apply', '--endpoint'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey apply: .*endpoint.*/),
  });
});
