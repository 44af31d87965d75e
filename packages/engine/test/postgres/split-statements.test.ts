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
  [
    'a backslash escapes in strings that say so, and in no others',
    String.raw`SELECT E'a\';b', e'\\'; SELECT 'a\'; SELECT somee'x;y'`,
    [String.raw`SELECT E'a\';b', e'\\'`, String.raw`SELECT 'a\'`, `SELECT somee'x;y'`],
  ],
  [
    'comments nest, and say nothing within strings',
    "SELECT 1 /* a; /* b; */ c; */ + 2; SELECT '/*', '--'; /* left /* open; */ SELECT 3",
    ['SELECT 1   + 2', "SELECT '/*', '--'"],
  ],
  ['names may hold dollars', 'SELECT a$b$; SELECT c$b$', ['SELECT a$b$', 'SELECT c$b$']],
  [
    'the body of a routine in SQL is one statement',
    'create or replace function f() returns int begin atomic select 1; select case when true then 2 end; end; SELECT 3',
    [
      'create or replace function f() returns int begin atomic select 1; select case when true then 2 end; end',
      'SELECT 3',
    ],
  ],
  [
    'a transaction is not taken for one',
    'BEGIN; SELECT 1; END; CREATE TABLE functions ("end" int); SELECT 2',
    ['BEGIN', 'SELECT 1', 'END', 'CREATE TABLE functions ("end" int)', 'SELECT 2'],
  ],
  [
    'neither do semicolons between parentheses end one',
    'CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); SELECT 3',
    ['CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)', 'SELECT 3'],
  ],
  ['what is left open goes on to the end', "SELECT 'a; b", ["SELECT 'a; b"]],
  ['nothing has no statements', ' ; -- nothing', []],
])('%s', (_, sql, statements) => {
  expect(splitStatements(sql)).toEqual(statements);
});
