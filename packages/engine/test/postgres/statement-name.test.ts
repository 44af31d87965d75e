import { expect, test } from 'vitest';
import { statementName } from '#postgres/statement-name.ts';

test('a statement is prepared from its second time on', () => {
  const text = 'SELECT 1 AS twice';
  expect(statementName(text)).toBeUndefined();
  const name = statementName(text);
  expect(name).toMatch(/^.{20,63}$/);
  expect(statementName(text)).toBe(name);
});

test('different statements have different names', () => {
  const texts = ['SELECT 1 AS one', 'SELECT 1 AS other'];
  for (const text of texts) statementName(text);
  expect(new Set(texts.map(statementName)).size).toBe(2);
});

test('what runs once is forgotten, and leaves others their names', () => {
  statementName('SELECT 1 AS kept');
  const name = statementName('SELECT 1 AS kept');
  for (let index = 0; index < 5000; index += 1) {
    statementName(`SELECT ${index}`);
    if (index % 1000 === 0) statementName('SELECT 1 AS kept');
  }
  expect(statementName('SELECT 1 AS kept')).toBe(name);
  expect(statementName('SELECT 0')).toBeUndefined();
});
