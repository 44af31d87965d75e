import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { folder, latchkey } from './support/run-latchkey.ts';

// What a user has typed when they press Tab, and what they are offered.
const CASES: [line: string, offered: string[]][] = [
  ['latchkey ap', ['apply']],
  ['latchkey apply --settle ', ['applied', 'pending']],
  ['latchkey jwt-secret --edition=c', ['--edition=ce', '--edition=cloud']],
  ['latchkey import-accounts ac', ['accounts.csv']],
];

const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
/** Without what the user of this machine has in .bashrc and the like. */
const BARE = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] };
const shell = (name: keyof typeof BARE, ...args: string[]) =>
  spawnSync(name, [...BARE[name], ...args], { encoding: 'utf8', cwd: folder, env });

beforeAll(() => {
  writeFileSync(join(folder, 'accounts.csv'), 'legacy_id,email\n');
  for (const name of ['bash', 'zsh', 'fish']) {
    const { status, stdout } = latchkey(['completion', name]);
    expect(status).toBe(0);
    writeFileSync(join(folder, `completion.${name}`), stdout);
  }
});

/** Does what bash does on Tab: splits the line into words, and calls the function that is registered for the first. */
const PRESS_TAB = `
  press_tab() {
    COMP_LINE="$1" COMP_POINT=\${#1} COMPREPLY=()
    read -ra COMP_WORDS <<<"$1"
    [[ $1 == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    local registered=$(complete -p latchkey)
    [[ $registered =~ -F\\ ([^ ]+) ]] && "\${BASH_REMATCH[1]}" latchkey
    printf '%s\\n' "$1" "\${COMPREPLY[@]}" ''
  }`;

test('bash completes commands, values and files, and defines latchkey where there is none', () => {
  const lines = CASES.map(([line]) => `press_tab '${line}'`).join('\n');
  const { stdout, stderr } = shell('bash', '-c', `source completion.bash\n${PRESS_TAB}\n${lines}`);
  const answers = stdout.split('\n\n').map((text) => text.split('\n').filter((word) => word !== ''));
  expect([
    answers.filter((answer) => answer.length > 0).map(([line, ...offered]) => [line, offered.sort()]),
    stderr,
  ]).toEqual([CASES.map(([line, offered]) => [line, offered]), '']);
});

const installed = (['zsh', 'fish'] as const).filter((name) => shell(name, '-c', 'true').error === undefined);

test('zsh and fish, where they are installed, read their scripts, and fish completes the same', () => {
  for (const name of installed) {
    expect(shell(name, '-n', `completion.${name}`)).toMatchObject({ status: 0, stderr: '' });
  }
  if (!installed.includes('fish')) return;
  for (const [line, offered] of CASES) {
    const { stdout } = shell('fish', '-c', `source completion.fish; complete -C '${line}'`);
    const words = stdout.split('\n').flatMap((row) => row.split('\t').slice(0, 1));
    expect([line, words.filter((word) => word !== '').sort()]).toEqual([line, offered]);
  }
});
