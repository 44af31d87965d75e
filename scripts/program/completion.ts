import { fileURLToPath } from 'node:url';
import { Argument, Command } from 'commander';
import { suggest } from './suggestions.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** `latchkey completion <shell>`. */
export function createCompletionCommand(): Command {
  return new Command('completion')
    .summary('Print a script with which bash, zsh or fish completes what you type.')
    .description(
      `Prints a script with which the shell completes commands, options, values and names of files. Where there is no command latchkey, the script defines one that runs this project's.

To keep it, put the line into the file named beside it:

  bash   source <(npx latchkey completion bash)    ~/.bashrc
  zsh    source <(npx latchkey completion zsh)     ~/.zshrc, below compinit
  fish   npx latchkey completion fish | source     ~/.config/fish/config.fish`,
    )
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: Shell) => {
      const { [shell]: generator } = await import('@optique/core/completion');
      console.log(`${defineFunction(shell)}\n${generator.generateScript('latchkey', ['completion', shell])}`);
    });
}

/** npm puts no program of a project's own on the path. */
function defineFunction(shell: Shell): string {
  const program = fileURLToPath(new URL('../latchkey.js', import.meta.url));
  if (shell === 'fish') {
    const quoted = `'${program.replaceAll(/['\\]/g, '\\$&')}'`;
    return `type -q latchkey; or function latchkey; node ${quoted} $argv; end`;
  }
  const quoted = `'${program.replaceAll("'", "'\\''")}'`;
  return `type latchkey >/dev/null 2>&1 || latchkey() { node ${quoted} "$@"; }`;
}

/**
 * What a shell's script asks by `latchkey completion <shell> <words>`: what could stand in place of the last word.
 * That is nothing for Commander to parse, for the words are of another command line.
 *
 * @returns undefined where it is not such a request
 */
export function readCompletionRequest(
  args: readonly string[],
): { shell: Shell; words: readonly string[] } | undefined {
  const [name, named, ...words] = args;
  const shell = SHELLS.find((candidate) => candidate === named);
  if (name !== 'completion' || shell === undefined || words.length === 0) return undefined;
  return { shell, words };
}

/**
 * Prints what could stand in place of the last word, in the form that the shell's script reads.
 *
 * The scripts are Optique's. It is loaded here alone: as a parser it would double the time that `--help` takes.
 */
export async function printSuggestions(
  program: Command,
  shell: Shell,
  words: readonly string[],
): Promise<void> {
  const { [shell]: generator } = await import('@optique/core/completion');
  const { text } = await import('@optique/core/message');
  const suggestions = suggest(program, words).map((suggestion) =>
    'files' in suggestion
      ? ({
          kind: 'file',
          type: suggestion.files,
          pattern: `${suggestion.prefix}${suggestion.start}`,
          prefix: suggestion.prefix,
        } as const)
      : ({ kind: 'literal', text: suggestion.word, description: [text(suggestion.description)] } as const),
  );
  process.stdout.write([...generator.encodeSuggestions(suggestions)].join(''));
}
