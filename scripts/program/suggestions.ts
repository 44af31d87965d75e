import type { Argument, Command, Help, Option } from 'commander';

/**
 * A word that could stand next on the command line, or `files`: the shell completes names of files or folders that
 * begin with `start`, behind `prefix` in the same word.
 */
export type Suggestion =
  | { word: string; description: string }
  | { files: 'any' | 'directory'; prefix: string; start: string };

/**
 * What could stand in place of the last word.
 *
 * @param program the whole program; commands that are not loaded are suggested by name alone
 * @param words the command line behind the program's name, up to the cursor; the last word is the one to complete
 */
export function suggest(program: Command, words: readonly string[]): Suggestion[] {
  const before = words.slice(0, -1);
  const last = words.at(-1) ?? '';
  const { command, help, pending, operands } = follow(program, before);
  if (pending !== undefined) return valuesOf(pending, last, '');

  const [, flag, value] = /^(--[^=]+=)(.*)$/.exec(last) ?? [];
  if (flag !== undefined && value !== undefined) {
    const option = help.visibleOptions(command).find(({ long }) => `${long}=` === flag);
    return option === undefined ? [] : valuesOf(option, value, flag);
  }
  if (last.startsWith('-')) {
    return help
      .visibleOptions(command)
      .flatMap(({ long, short, description }) =>
        [long, short].map((word) => ({ word: word ?? '', description })),
      )
      .filter(({ word }) => word !== '' && word.startsWith(last));
  }
  const commands = help
    .visibleCommands(command)
    .map((subcommand) => ({
      word: subcommand.name(),
      description: subcommand.summary() || subcommand.description(),
    }))
    .filter(({ word }) => word.startsWith(last));
  const argument = command.registeredArguments[operands];
  return argument === undefined ? commands : [...commands, ...valuesOf(argument, last, '')];
}

type Place = {
  command: Command;
  help: Help;
  /** The option whose value comes next. */
  pending: Option | undefined;
  /** How many words stand there that are no option, no value and no command. */
  operands: number;
};

/** Goes through the words, into one subcommand after the other. */
function follow(program: Command, words: readonly string[]): Place {
  let command = program;
  let pending: Option | undefined;
  let operands = 0;
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const [flag, value] = word.split('=');
      const option = command.options.find(({ long, short }) => flag === long || flag === short);
      if (option === undefined) continue;
      if (option.required && value === undefined) pending = option;
      continue;
    }
    const subcommand = command.commands.find((candidate) => candidate.name() === word);
    if (subcommand === undefined) operands += 1;
    else command = subcommand;
  }
  return { command, help: command.createHelp(), pending, operands };
}

/** @param prefix what stands before the value in the same word: `--endpoint=` */
function valuesOf(taker: Option | Argument, start: string, prefix: string): Suggestion[] {
  if (taker.argChoices !== undefined) {
    return taker.argChoices
      .filter((choice) => choice.startsWith(start))
      .map((choice) => ({ word: `${prefix}${choice}`, description: '' }));
  }
  const [, placeholder = taker.name()] = ('flags' in taker ? /<(.+)>/.exec(taker.flags) : null) ?? [];
  if (placeholder === 'file') return [{ files: 'any', prefix, start }];
  return placeholder === 'folder' ? [{ files: 'directory', prefix, start }] : [];
}
