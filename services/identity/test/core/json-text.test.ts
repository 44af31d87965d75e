import { expect, test } from 'vitest';
import { jsonText, writeJson } from '#core/json-text.ts';

test('a text of JSON goes into what is written as it stands', () => {
  const rows = [
    { id: 1, payload: jsonText('{ "big": 12345678901234567890 }') },
    { payload: jsonText('"$&"') },
  ];
  expect(writeJson({ rows, rest: ['"', 'é'] })).toBe(
    '{"rows":[{"id":1,"payload":{ "big": 12345678901234567890 }},{"payload":"$&"}],"rest":["\\"","é"]}',
  );
});

test('without such a text it is written as by JSON.stringify', () => {
  const value = { a: [1, null, 'x'], left: undefined };
  expect(writeJson(value)).toBe(JSON.stringify(value));
});

test('to anybody else a text is the value that it says', () => {
  expect(JSON.stringify({ payload: jsonText('{ "a": [1] }') })).toBe('{"payload":{"a":[1]}}');
});

test('what failed to be written leaves no trace in the next', () => {
  const cyclic: { payload: unknown; self?: unknown } = { payload: jsonText('1') };
  cyclic.self = cyclic;
  expect(() => writeJson(cyclic)).toThrow('circular');
  expect(writeJson([jsonText('2')])).toBe('[2]');
  expect(JSON.stringify([jsonText('3')])).toBe('[3]');
});
