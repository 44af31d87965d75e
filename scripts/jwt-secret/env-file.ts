import { chmod, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { LatchkeyError } from '@latchkey/core/errors';

/**
 * A line for a `.env` file. In single quotes nothing is expanded, neither by a shell that sources
 * the file nor by Docker Compose nor by Node; a value cannot hold one itself there.
 *
 * @throws LatchkeyError `configuration-invalid`
 */
export function envLine(name: string, value: string): string {
  if (/['\n]/.test(value)) {
    throw new LatchkeyError('configuration-invalid', `The value of ${name} holds a quote or a line break.`);
  }
  return `${name}='${value}'`;
}

/**
 * Puts settings into a `.env` file, in place of those that stand there already, and makes it readable for its
 * owner alone. All else stays as it is. The file is replaced whole or not at all; there may be none yet.
 *
 * @param replaced the variables whose lines make way, those of `settings` among them or not
 * @throws LatchkeyError `configuration-invalid` where it cannot be read or written
 */
export async function writeEnvFile(
  path: string,
  settings: Readonly<Record<string, string>>,
  replaced: readonly string[],
): Promise<void> {
  try {
    // Where the name is a link, what it leads to is written.
    const file = await realpath(path).catch(() => path);
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return '';
      throw error;
    });
    const lines = Object.entries(settings).map(([name, value]) => envLine(name, value));
    const names = [...new Set([...replaced, ...Object.keys(settings)])];
    await writeFile(`${file}.new`, withLines(text, lines, names), { mode: 0o600 });
    // One that was left there keeps the mode that it had.
    await chmod(`${file}.new`, 0o600);
    await rename(`${file}.new`, file);
  } catch (cause) {
    if (cause instanceof LatchkeyError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new LatchkeyError(
      'configuration-invalid',
      `${path} cannot be written${code}: give --write a file in a folder that you may write to.`,
      { cause },
    );
  }
}

/**
 * @param names the variables whose assignments are taken out; the lines come where the first of them stood,
 *   or behind the last comment that shows one, or at the end
 */
function withLines(text: string, lines: readonly string[], names: readonly string[]): string {
  const assignment = new RegExp(`^\\s*(?:export\\s+)?(?:${names.join('|')})\\s*=\\s*(?<value>.*)$`);
  const example = new RegExp(`^\\s*#\\s*(?:${names.join('|')})=`);
  const kept: string[] = [];
  let place: number | undefined;
  let behindExample: number | undefined;
  let openQuote: string | undefined;
  for (const line of text === '' ? [] : text.replace(/\n$/, '').split('\n')) {
    // A value in quotes may go on over several lines.
    if (openQuote !== undefined) {
      if (line.includes(openQuote)) openQuote = undefined;
      continue;
    }
    const value = assignment.exec(line)?.groups?.value;
    if (value === undefined) {
      kept.push(line);
      if (example.test(line)) behindExample = kept.length;
      continue;
    }
    place ??= kept.length;
    const [quote = ''] = value;
    if (/["'`]/.test(quote) && !value.slice(1).includes(quote)) openQuote = quote;
  }
  kept.splice(place ?? behindExample ?? kept.length, 0, ...lines);
  return `${kept.join('\n')}\n`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
