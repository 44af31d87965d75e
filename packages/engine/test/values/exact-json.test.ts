import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactJson, parseFirstKeyJson } from '#values/exact-json.ts';
import { NumberLiteral } from '#values/scalar.ts';

test('every JSON value is read as it was written, with spaces or without', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(0, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      expect(parseFirstKeyJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

/** An object's text, its keys as they come. */
const objectText = (entries: readonly (readonly [string, string])[]) =>
  `{ ${entries.map(([key, value]) => `${JSON.stringify(key)} : ${value}`).join(',')} }`;

test('of equal keys the first counts, however deep, and their order stays', () => {
  // No key ends in a backslash: after one V8 itself reads the key `a"` as `a\`.
  const key = fc.constantFrom('a', 'b', 'a"', 'a\\b', '', ':', '": ', '__proto__', '1', '{', 'é');
  const leaf = fc.constantFrom(
    '1',
    '"x"',
    '"\\":"',
    '":"',
    'null',
    '12345678901234567890',
    '[1,{"a":1,"a":2}]',
  );
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(fc.tuple(key, tie('tree')), { maxLength: 5 }).map(objectText),
      fc.array(tie('tree'), { maxLength: 3 }).map((items) => `[${items.join(' , ')}]`),
    ),
  }));
  fc.assert(
    fc.property(fc.array(fc.tuple(key, tree), { maxLength: 6 }), (entries) => {
      const first = entries.filter(
        ([name], index) => entries.findIndex(([other]) => other === name) === index,
      );
      const parsed = parseExactJson(objectText(entries));
      expect(parsed).toEqual(parseExactJson(objectText(first)));
      expect(Object.keys(Object(parsed))).toEqual(Object.keys(JSON.parse(objectText(first))));
    }),
  );
});

test.each<[string, unknown]>([
  ['{"a":1,"a":2}', { a: 1 }],
  ['{"a":1,"\\u0061":2}', { a: 1 }],
  ['[{"a":{"b":1,"b":2},"a":3}]', [{ a: { b: 1 } }]],
  ['{"a":"\\"b\\":1","a":2}', { a: '"b":1' }],
  ['{"n":12345678901234567890,"n":1}', { n: new NumberLiteral('12345678901234567890') }],
  ['{"n":1,"n":12345678901234567890}', { n: 1 }],
  ['[":", ": ", "{\\"a\\":1,\\"a\\":2}"]', [':', ': ', '{"a":1,"a":2}']],
])('%s', (text, value) => {
  expect(parseExactJson(text)).toEqual(value);
});

test.each([
  '',
  '{',
  '{"a":1,"a"}',
  '{"a":1,"a":2',
  '{"a":1 "a":2}',
  '{"a":1,"a":2}}',
  '["a":1,"a":2]',
  '"\\ud800"',
])('%s is no JSON', (text) => {
  expect(() => parseExactJson(text)).toThrow(SyntaxError);
});

test('what nests deep is read, with equal keys too', () => {
  const deep = `${'{"a":1,"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
  expect(parseExactJson(deep)).toEqual({ a: 1 });
  expect(() => parseExactJson('['.repeat(100_000))).toThrow(SyntaxError);
});
