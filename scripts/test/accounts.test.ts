import { describe, expect, test } from 'vitest';
import { readAccounts } from '../accounts/read-accounts.ts';

const ADA = { legacyId: '17', email: 'Ada@example.com' };
const BEN = { legacyId: 'b,"18"', email: 'ben@example.com' };

test.each([
  ['plain', 'legacy_id,email\n17,Ada@example.com\n"b,""18""",ben@example.com\n'],
  ['from a spreadsheet', '\uFEFFlegacy_id,email\r\n17,Ada@example.com\r\n"b,""18""",ben@example.com\r\n'],
  [
    'with other columns, blanks and empty lines',
    'name,email,legacy_id\n\n"King, Ada", Ada@example.com ,17\n,ben@example.com,"b,""18"""\n\n',
  ],
])('a CSV file %s is read', (_what, text) => {
  expect(readAccounts('accounts.csv', text)).toEqual([ADA, BEN]);
});

test('a JSON file is read, and ids that were numbers stay what they look like', () => {
  const rows = [
    { legacy_id: 17, email: 'Ada@example.com', name: 'Ada' },
    { legacy_id: 'b,"18"', email: ' ben@example.com' },
  ];
  expect(readAccounts('ACCOUNTS.JSON', JSON.stringify(rows))).toEqual([ADA, BEN]);
});

test('an empty list is one', () => {
  expect(readAccounts('a.csv', 'legacy_id,email\n')).toEqual([]);
  expect(readAccounts('a.json', '[]')).toEqual([]);
});

describe('what is wrong is told by its place, and not by what stands there:', () => {
  test.each([
    ['a.csv', 'legacy_id,email\n17,nobody\n', 'line 2: email is no address'],
    ['a.csv', 'legacy_id,email\n,a@example.com\n', 'line 2: legacy_id is empty'],
    ['a.csv', 'id,email\n17,a@example.com\n', 'line 2: legacy_id is missing'],
    ['a.csv', 'legacy_id,email\n17\n', 'Record'],
    [
      'a.csv',
      'legacy_id,email\n17,a@example.com\n17,b@example.com\n',
      'line 3: its legacy_id is that of line 2',
    ],
    ['a.csv', 'legacy_id,email\n17,a@example.com\n18,A@EXAMPLE.com\n', 'line 3: its email is that of line 2'],
    ['a.json', '[{"legacy_id":1.5,"email":"a@example.com"}]', 'item 1: legacy_id'],
    ['a.json', '[null]', 'item 1: it'],
    ['a.json', '{"legacy_id":1}', 'it is no list'],
    ['a.json', '[', 'it is no JSON'],
  ])('%s %j', (file, text, message) => {
    expect(() => readAccounts(file, text)).toThrow(message);
    expect(() => readAccounts(file, text)).toThrow(
      /^(?!.*(nobody|example\.com|EXAMPLE)).*legacy_id and email\.$/s,
    );
  });

  test('and of a thousand the first ten', () => {
    const text = `legacy_id,email\n${Array.from({ length: 1_000 }, (_, index) => `${index},x\n`).join('')}`;
    expect(() => readAccounts('a.csv', text)).toThrow(/line 11: email is no address; and 990 more/);
  });
});
