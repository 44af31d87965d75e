import { expect, test } from 'vitest';
import { COMMANDS } from '../../program/commands.ts';
import { createProgram } from '../../program/program.ts';
import { suggest } from '../../program/suggestions.ts';

/** The command as the shell splits it: what is to be completed is the last word, empty behind a blank. */
async function offered(line: string): Promise<unknown[]> {
  const [, ...words] = line.split(' ');
  const { program } = await createProgram(COMMANDS, words);
  return suggest(program, words).map((suggestion) => ('word' in suggestion ? suggestion.word : suggestion));
}

test.each([
  ['latchkey ap', ['apply']],
  ['latchkey help re', ['replay', 'revoke']],
  ['latchkey --ver', ['--version']],
  ['latchkey sync ', ['backfill', 'drift', 'repair']],
  ['latchkey sync drift --', ['--provider', '--json', '--quiet', '--help']],
  ['latchkey sync drift -q', ['-q']],
  ['latchkey sync drift --provider c', ['clerk', 'casdoor', 'cognito']],
  ['latchkey apply --al', ['--allow-inconsistent']],
  ['latchkey completion ', ['bash', 'zsh', 'fish']],
])('%s is completed to %j', async (line, words) => {
  expect(await offered(line)).toEqual(words);
});

test('an option’s value is no command and no option', async () => {
  expect(await offered('latchkey apply --endpoint ')).toEqual([]);
  expect(await offered('latchkey apply --endpoint sync --al')).toEqual(['--allow-inconsistent']);
  expect(await offered('latchkey apply --settle=applied --al')).toEqual(['--allow-inconsistent']);
  expect(await offered('latchkey jwt-secret --edition e')).toEqual(['ee']);
  expect(await offered('latchkey jwt-secret --edition=e')).toEqual(['--edition=ee']);
  expect(await offered('latchkey jwt-secret --no-such=e')).toEqual([]);
});

test('files and folders are left to the shell, where they can stand', async () => {
  const file = { files: 'any', prefix: '', start: 'ac' };
  expect(await offered('latchkey import-accounts ac')).toEqual([file]);
  expect(await offered('latchkey import-accounts --dry-run ac')).toEqual([file]);
  expect(await offered('latchkey import-accounts accounts.csv ac')).toEqual([]);
  expect(await offered('latchkey jwt-secret --write=ac')).toEqual([{ ...file, prefix: '--write=' }]);
  expect(await offered('latchkey apply --project ac')).toEqual([{ ...file, files: 'directory' }]);
  expect(await offered('latchkey revoke ac')).toEqual([]);
});
