import { expect, test } from 'vitest';
import { RawJson, stringify } from '#core/raw-json.ts';

test('a text of JSON goes into what is written as it stands', () => {
  const rows = [
    { id: 1, payload: new RawJson('{ "big": 12345678901234567890 }') },
    { payload: new RawJson('"$&"') },
  ];
  expect(stringify({ rows, rest: ['"', 'é'] })).toBe(
    '{"rows":[{"id":1,"payload":{ "big": 12345678901234567890 }},{"payload":"$&"}],"rest":["\\"","é"]}',
  );
});

test('without such a text it is written as by JSON.stringify', () => {
  const value = { a: [1, null, 'x'], left: undefined };
  expect(stringify(value)).toBe(JSON.stringify(value));
});

test('to anybody else a text is the value that it says', () => {
  expect(JSON.stringify({ payload: new RawJson('{ "a": [1] }') })).toBe('{"payload":{"a":[1]}}');
});

test('what holds such a text is not changed', () => {
  const text = new RawJson('[1]');
  const value = { rows: [{ payload: text }, { payload: null }] };
  expect(stringify(value)).toBe('{"rows":[{"payload":[1]},{"payload":null}]}');
  expect(value.rows[0]?.payload).toBe(text);
});

test('deeper than any column such a text is written as its value', () => {
  const value = { a: { b: { c: { d: { e: new RawJson('{ "n": 1 }') } } } } };
  expect(stringify(value)).toBe('{"a":{"b":{"c":{"d":{"e":{"n":1}}}}}}');
});

test('what failed to be written leaves no trace in the next', () => {
  const cyclic: { payload: unknown; self?: unknown } = { payload: new RawJson('1') };
  cyclic.self = cyclic;
  expect(() => stringify(cyclic)).toThrow('circular');
  expect(stringify([new RawJson('2')])).toBe('[2]');
  expect(JSON.stringify([new RawJson('3')])).toBe('[3]');
});
