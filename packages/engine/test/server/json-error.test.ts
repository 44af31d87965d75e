import { expect, test } from 'vitest';
import { describeJsonError } from '#server/json-error.ts';

test.each([
  ['', 'Unexpected end-of-input, expecting JSON value'],
  ['nonsense', 'Unexpected "nonsense", expecting JSON value'],
  ['{', 'Unexpected end-of-input, expecting record key literal or }'],
  ['{"a"', 'Unexpected end-of-input, expecting :'],
  ['{"a":1', 'Unexpected end-of-input, expecting , or }'],
  ['{"a":1,}', 'Unexpected "}", expecting key literal'],
  ["{'a':1}", 'Unexpected "\'a\':1}", expecting record key literal or }'],
  ['{"a" 1}', 'Unexpected "1}", expecting :'],
  ['[', 'Unexpected end-of-input, expecting JSON value or ]'],
  ['[1 2]', 'Unexpected "2]", expecting , or ]'],
  ['[1,', 'Unexpected end-of-input, expecting JSON value'],
  ['[,]', 'Unexpected ",]", expecting JSON value'],
  ['"abc', 'Unexpected end-of-input while parsing string literal'],
  ['"a\nb"', 'Unexpected control character while parsing string literal'],
  ['01', 'Number literal with leading zero'],
  ['-', 'Unexpected end-of-input while parsing number literal'],
  ['-a', 'Unexpected 97 while parsing number literal'],
  ['1.', 'Unexpected end-of-input while parsing number literal'],
  ['1ex', "Unexpected 'x' while parsing number literal"],
  ['{} x', 'Trailing garbage'],
  [
    '{"query": undefined, "and": "much more of it"}',
    'Unexpected "undefined, \\"and\\": \\"much more o", expecting JSON value',
  ],
  ['é\u0001H2', 'Unexpected "\\195\\169\\SOHH2", expecting JSON value'],
])('of %j it says: %s', (text, problem) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(describeJsonError(text)).toBe(problem);
});

test('does not go down into what is nested deep', () => {
  expect(describeJsonError('['.repeat(200_000))).toBe('Unexpected end-of-input, expecting JSON value or ]');
});
