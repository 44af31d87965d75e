import { expect, test } from 'vitest';
import { createLogger } from '#http/logger.ts';

function logged(log: (logger: ReturnType<typeof createLogger>) => void): unknown {
  const lines: string[] = [];
  log(createLogger('info', { write: (line) => lines.push(line) }));
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '');
}

test('ids, numbers and lists are logged as they are', () => {
  const fields = {
    delivery: 'msg_1',
    status: 204,
    providers: [{ provider: 'clerk', counts: { missing: 2 } }],
  };
  expect(logged((logger) => logger.info(fields, 'settled'))).toEqual({
    level: 30,
    time: expect.any(String),
    msg: 'settled',
    ...fields,
  });
});

test.each<[string, object]>([
  ['at the top', { email: 'ada@example.com' }],
  ['within a field', { user: { phone: '+4912345' } }],
  ['two levels down', { request: { user: { name: 'Ada' } } }],
  ['within a list', { users: [{ token: 'ada' }] }],
  ['as a whole object', { headers: { authorization: 'Bearer ada' } }],
])('what is personal or secret is taken out %s', (_where, fields) => {
  const line = JSON.stringify(logged((logger) => logger.info(fields, 'oops')));
  expect(line).toContain('[redacted]');
  expect(line).not.toMatch(/ada|Ada|4912345/);
});

test('a child’s lines are no less clean', () => {
  const line = logged((logger) => logger.child({ reqId: 'req-1' }).info({ secret: 'hunter2' }, 'oops'));
  expect(line).toMatchObject({ reqId: 'req-1', secret: '[redacted]' });
});

test('an error is told with its stack, and without what is personal in it', () => {
  const err = Object.assign(new Error('no'), { code: 'engine-refused', body: 'ada@example.com' });
  expect(logged((logger) => logger.error({ err }, 'failed'))).toMatchObject({
    err: {
      type: 'Error',
      message: 'no',
      stack: expect.any(String),
      code: 'engine-refused',
      body: '[redacted]',
    },
  });
});
