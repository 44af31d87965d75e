import { expect, test } from 'vitest';
import { arrayLiteral, claimText } from '#claim-text.ts';

test.each<[unknown, string]>([
  ['pro', 'pro'],
  ['', ''],
  ['{"a"}', '{"a"}'],
  ['x\u{1F511}é\u2028', 'x\u{1F511}é\u2028'],
  [7, '7'],
  [-0.5, '-0.5'],
  [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  [true, 'true'],
  [false, 'false'],
  [[], '{}'],
  [['a', 1, true], '{"a","1","true"}'],
  [['a"b', 'c\\d', '{e,f}', '', 'NULL', ' g '], '{"a\\"b","c\\\\d","{e,f}","","NULL"," g "}'],
])('%j becomes %s', (value, text) => {
  expect(claimText(value)).toBe(text);
});

test.each<[string, unknown]>([
  ['nothing', null],
  ['what is not there', undefined],
  ['an object', { a: 1 }],
  ['a list of lists', [['a']]],
  ['a list with nothing in it', ['a', null]],
  ['a list with an object', ['a', {}]],
  ['a line break', 'a\nb'],
  ['a carriage return', 'a\rX-Hasura-Role: admin'],
  ['NUL', 'a\0b'],
  ['a control character beyond ASCII', 'a\u0085b'],
  ['DEL', 'a\u007fb'],
  ['half a surrogate pair', 'a\ud800b'],
  ['one of these in a list', ['a', 'b\nc']],
  ['more than is stored exactly', 2 ** 53],
  ['an endless number', Number.POSITIVE_INFINITY],
  ['a text without end', 'a'.repeat(1_001)],
  ['a list without end', Array.from({ length: 5_000 }, () => 'a')],
])('%s is empty', (_what, value) => {
  expect(claimText(value)).toBe('');
});

test('a literal of nothing is one too', () => {
  expect([arrayLiteral([]), arrayLiteral(['org_1', 'acme/a"b'])]).toEqual(['{}', '{"org_1","acme/a\\"b"}']);
});
