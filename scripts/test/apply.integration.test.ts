import { expect, test } from 'vitest';
import { folder, latchkey, oneLine } from './support/run-latchkey.ts';

test('tells in one line that Hasura does not answer', () => {
  expect(latchkey(['apply'])).toMatchObject({
    status: 3,
    stderr: oneLine(/latchkey apply: Hasura at http:\/\/127\.0\.0\.1:9 does not answer .*--endpoint\./),
  });
});

test('names a wrong setting', () => {
  expect(latchkey(['apply', '--endpoint', 'hasura'])).toMatchObject({
    status: 2,
    stderr: oneLine(/.*"hasura" is no address.*/),
  });
  expect(latchkey(['apply', '--settle', 'maybe'])).toMatchObject({
    status: 2,
    stderr: oneLine(/.*applied or pending, not maybe.*/),
  });
  expect(latchkey(['apply', '--project', folder])).toMatchObject({
    status: 2,
    stderr: oneLine(/.*config\.yaml cannot be read.*/),
  });
});
