import { expect, test } from 'vitest';
import { latchkey, oneLine } from './support/run-latchkey.ts';

test('start names a port that is none', () => {
  expect(latchkey(['start', '--engine-port', 'eighty'])).toMatchObject({
    status: 2,
    stderr: oneLine(
      /latchkey start: --engine-port \(or LATCHKEY_ENGINE_PORT\) must be a port .*not eighty\./,
    ),
  });
});

test('start names a provider that is none', () => {
  expect(latchkey(['start', '--providers', 'clerk,okta'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey start: --providers \(or LATCHKEY_PROVIDERS\) takes .*, not okta\./),
  });
});

test.each([
  ['LATCHKEY_DATABASE_URL', 'postgres://postgres@127.0.0.1:9/postgres'],
  ['LATCHKEY_DATABASE_URL', 'nonsense'],
  ['LATCHKEY_ENGINE', 'no-such-engine'],
])('demo tells in one line that %s=%s does not work', (variable, value) => {
  expect(latchkey(['demo'], { [variable]: value })).toMatchObject({
    status: 2,
    stderr: oneLine(new RegExp(`latchkey demo: ${variable} .+`)),
  });
});
