import { expect, test } from 'vitest';
import { splitStatements } from '#postgres/split-statements.ts';

test.each([
  ['statements end at semicolons', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
  ['strings and quoted names keep theirs', `SELECT 'a;''b;', "c;""d;"`, [`SELECT 'a;''b;', "c;""d;"`]],
  [
    'dollar quotes keep theirs, whatever their tag',
    'DO $$ a; $x$ b; $$; DO $f$ a; $$ b; $f$',
    ['DO $$ a; $x$ b; $$', 'DO $f$ a; $$ b; $f$'],
  ],
  ['comments are dropped', 'SELECT 1 -- one; two\n; /* three; */ SELECT 2', ['SELECT 1', 'SELECT 2']],
  ['what is left open goes on to the end', "SELECT 'a; b", ["SELECT 'a; b"]],
  ['nothing has no statements', ' ; -- nothing', []],
])('%s', (_, sql, statements) => {
  expect(splitStatements(sql)).toEqual(statements);
});
