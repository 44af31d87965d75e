import { describe, expect, test } from 'vitest';
import { parseExactJson } from '#values/exact-json.ts';
import { fixedNumber, showNumber, toInteger, writeJson } from '#values/number.ts';
import { NumberLiteral } from '#values/scalar.ts';

const literal = (text: string) => new NumberLiteral(text);

describe('a number by its digits', () => {
  test.each<[string, bigint | undefined]>([
    ['0', 0n],
    ['-0', 0n],
    ['1e3', 1000n],
    ['1.50e1', 15n],
    ['9223372036854775808', 9223372036854775808n],
    ['-12', -12n],
    ['1.5', undefined],
    ['1e-1', undefined],
    ['1e401', undefined],
    ['1e999999999', undefined],
  ])('%s is the integer %s', (text, integer) => {
    expect(toInteger(literal(text))).toBe(integer);
  });

  test.each([
    ['0', '0.0'],
    ['5', '5.0'],
    ['1.5', '1.5'],
    ['0.25', '0.25'],
    ['1234567', '1234567.0'],
    ['2147483648', '2.147483648e9'],
    ['-0.001', '-1.0e-3'],
  ])('%s is shown as %s', (text, shown) => {
    expect(showNumber(literal(text))).toBe(shown);
  });

  test.each([
    ['1.005', '1.01'],
    ['1.004', '1.00'],
    ['-2', '-2.00'],
    ['1e3', '1000.00'],
  ])('%s with two decimals is %s', (text, fixed) => {
    expect(fixedNumber(literal(text), 2)).toBe(fixed);
  });
});

describe('JSON', () => {
  test.each([
    '{"a":[12345678901234567890,0.1,1]}',
    '[1e400]',
    '[123456789.123456789123]',
    '["12345678901234567890"]',
  ])('%s comes back digit by digit', (text) => {
    expect(writeJson(parseExactJson(text))).toBe(text);
  });

  test('numbers that fit are plain numbers', () => {
    expect(parseExactJson('[1, 2.5, 12345678901234567890]')).toEqual([
      1,
      2.5,
      literal('12345678901234567890'),
    ]);
  });

  test('what is no JSON is refused either way', () => {
    expect(() => parseExactJson('[1')).toThrow(SyntaxError);
    expect(() => parseExactJson('[12345678901234567890')).toThrow(SyntaxError);
  });
});
