import { styleText } from 'node:util';
import { Command, type CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { createCompletionCommand, printSuggestions, readCompletionRequest } from './completion.ts';

/** A command that is loaded only when it is asked for: with it come the libraries it works with. */
export type CommandEntry = { name: string; summary: string; load(): Promise<Command> };

export type Program = {
  program: Command;
  /**
   * Parses the command line and runs what it asks for; the command sets `process.exitCode`.
   *
   * @throws CommanderError for help that was printed, and for wrong use
   * @throws what the command throws
   */
  run(): Promise<void>;
  /** The command that ran, or whose command line is wrong. */
  current(): Command;
};

/**
 * `latchkey` with all its commands, of which the one that `args` name is loaded.
 *
 * @param args the command line without node and program
 */
export async function createProgram(
  entries: readonly CommandEntry[],
  args: readonly string[],
): Promise<Program> {
  const program = new Command('latchkey')
    .usage('<command> [options]')
    .version(packageJson.version, '--version', 'Print the version.')
    .option('--no-color', 'Print without colours, as with NO_COLOR=1 and where no terminal reads.')
    .helpCommand('help [command]', 'Tell more of a command.')
    .addHelpText('after', '\nlatchkey <command> --help tells more of each.');
  const name = nameOfCommand(readCompletionRequest(args)?.words ?? args);
  for (const { name: ownName, summary, load } of entries) {
    const command = ownName === name ? await load() : new Command(ownName);
    program.addCommand(command.summary(summary));
  }
  program.addCommand(createCompletionCommand());

  let current: Command = program;
  program.hook('preAction', (_program, command) => {
    current = command;
  });
  for (const command of withSubcommands(program)) {
    setManners(command, (failed) => {
      current = failed;
    });
  }
  return {
    program,
    run: async () => {
      const request = readCompletionRequest(args);
      if (request === undefined) await program.parseAsync(args, { from: 'user' });
      else await printSuggestions(program, request.shell, request.words);
    },
    current: () => current,
  };
}

/** The first word that is no option; behind `help` the one after. */
function nameOfCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((word) => !word.startsWith('-'));
  return first === 'help' ? second : first;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function setManners(command: Command, onFailure: (command: Command) => void): void {
  command
    .helpOption('-h, --help', 'Show this help.')
    .configureHelp({
      // Commander itself takes the colours out again where none are wanted.
      styleTitle: (text) => styleText('bold', text, { validateStream: false }),
      styleOptionTerm: (text) => styleText('cyan', text, { validateStream: false }),
      styleSubcommandTerm: (text) => styleText('cyan', text, { validateStream: false }),
      // The text says what the choices mean; to list them once more helps nobody.
      optionDescription: (option) => option.description,
      // Of what is not loaded yet the options are not known.
      subcommandTerm: (subcommand) => subcommand.name(),
    })
    .configureOutput({ outputError: () => {} })
    .exitOverride((error: CommanderError) => {
      onFailure(command);
      throw error;
    });
}
