import type { Command, CommanderError } from 'commander';

/**
 * What is wrong with a command line, in one line that says what to do about it.
 *
 * @param command whose command line it is
 */
export function describeWrongUse(command: Command, error: CommanderError): string {
  const name = pathOf(command);
  switch (error.code) {
    case 'commander.error':
      // Said by one of our own checks, with what to do.
      return error.message;
    case 'commander.missingArgument':
    case 'commander.excessArguments':
      return `${describeArguments(command)}; ${name} --help tells more.`;
    default: {
      const what = error.message.replace(/^error: |\.$/g, '').replaceAll('\n', ' ');
      const listed = command.commands.length > 0 ? 'commands' : 'options';
      return `${what.replace('(Did you mean', '(did you mean')}; ${name} --help lists the ${listed}.`;
    }
  }
}

/** `latchkey sync drift`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function describeArguments({ registeredArguments: [argument], args }: Command): string {
  if (argument === undefined) return `It takes options only, not ${args.join(' ')}`;
  const count = args.length === 0 ? 'none was' : `${args.length} were`;
  return `It takes one <${argument.name()}>, and ${count} given`;
}
