import { describe, expect, test } from 'vitest';
import { parsePayload } from '#core/payload.ts';

describe('a webhook body', () => {
  test('is parsed as it is where PostgreSQL can store it', () => {
    expect(parsePayload('{"a":[1,"\\ud83d\\ude00 é"]}')).toEqual({
      ok: true,
      value: { a: [1, '😀 é'] },
      isAsSent: false,
    });
  });

  test('whose very text can be stored says so', () => {
    expect(parsePayload('{"a": "\\u00e9 é"}')).toEqual({ ok: true, value: { a: 'é é' }, isAsSent: true });
  });

  test('loses U+0000 and halves of surrogate pairs, in values and in keys', () => {
    expect(parsePayload('{"a\\u0000":["x\\u0000y","\\ud83d","\\uDE00z"]}')).toEqual({
      ok: true,
      value: { 'a\uFFFD': ['x\uFFFDy', '\uFFFD', '\uFFFDz'] },
      isAsSent: false,
    });
  });

  test.each([
    '\\u0000',
    '\\ud83d',
    '\\uD83D',
    '\\udbff',
    '\\uDBFF',
    '\\ude00',
    '\\uDE00',
    '\\udfff',
    '\\uDFFF',
  ])('with %s alone loses it, in whatever letters it is written', (sequence) => {
    expect(parsePayload(`{"a":"${sequence}"}`)).toEqual({
      ok: true,
      value: { a: '\uFFFD' },
      isAsSent: false,
    });
  });

  test.each(['\\ud7ff', '\\uD7FF', '\\ue000', '\\uE000', '\\u0001'])(
    'with %s can be stored as it is',
    (sequence) => {
      expect(parsePayload(`{"a":"${sequence}"}`)).toMatchObject({ ok: true, isAsSent: true });
    },
  );

  test('that is not JSON is kept as a text that can be stored', () => {
    expect(parsePayload('{"a": \0')).toEqual({ ok: false, value: '{"a": \uFFFD' });
    expect(parsePayload('')).toEqual({ ok: false, value: '' });
  });

  test('that is nested beyond reason is kept as a text, not walked until the stack ends', () => {
    const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
    expect(parsePayload(deep)).toEqual({ ok: false, value: deep });
  });
});
