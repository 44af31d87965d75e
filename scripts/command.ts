import { Command, Option as ParsedOption } from 'commander';

type OptionBase = { help: string; short?: string };
/**
 * `placeholder` is what the help shows as its value: `--endpoint <url>`; for `file` and `folder` the shell completes
 * names of files. `choices` are all values there are. `completions` are what the shell offers where the command
 * itself checks the value, such as for a list with commas.
 */
export type Option =
  | (OptionBase & {
      type: 'string';
      placeholder: string;
      multiple?: true;
      choices?: readonly string[];
      completions?: readonly string[];
    })
  | (OptionBase & { type: 'boolean' });
export type Options = Record<string, Option>;

type Value<O extends Option> = O extends { choices: readonly (infer C)[] }
  ? C
  : O extends { type: 'string' }
    ? string
    : boolean;

export type Values<O extends Options> = {
  [K in keyof O]?: O[K] extends { multiple: true } ? Value<O[K]>[] : Value<O[K]>;
};

export type { Command };

/**
 * A command of `latchkey`: its options, the help made from them, and what it does.
 *
 * @param definition.description shown below the usage line; paragraphs of plain text, which the help wraps itself
 * @param definition.summary its line in the list of a group
 * @param definition.argument what the one argument that is no option is called, where there is one
 * @param definition.isArgumentOptional whether it may be left out; it is empty then
 * @param definition.run does it, and gives the exit code
 */
export function defineCommand<const O extends Options>(definition: {
  name: string;
  description: string;
  summary?: string;
  argument?: string;
  isArgumentOptional?: boolean;
  options: O;
  run(values: Values<O>, argument: string): Promise<number>;
}): Command {
  const { name, description, summary = '', argument, isArgumentOptional = false, options, run } = definition;
  const command = new Command(name).summary(summary).description(withoutLineBreaks(description));
  if (argument !== undefined) command.argument(isArgumentOptional ? `[${argument}]` : `<${argument}>`);
  const parsed = Object.entries(options).map(([key, option]) => {
    const made = makeOption(command, key, option);
    command.addOption(made);
    return [key, made.attributeName()] as const;
  });
  return command.action(async () => {
    const given = parsed.map(([key, attribute]) => [key, command.getOptionValue(attribute)] as const);
    const values = Object.fromEntries(given.filter(([, value]) => value !== undefined));
    process.exitCode = await run(values as Values<O>, command.args[0] ?? '');
  });
}

/** A command that does nothing but hold others: `latchkey sync backfill`. */
export function defineGroup(name: string, commands: readonly Command[]): Command {
  const group = new Command(name).usage('<command> [options]').helpCommand(false);
  for (const command of commands) group.addCommand(command);
  return group;
}

function makeOption(command: Command, key: string, option: Option): ParsedOption {
  const flag = option.short === undefined ? `--${key}` : `-${option.short}, --${key}`;
  const help = option.help.replaceAll('\n', ' ');
  if (option.type === 'boolean') return new ParsedOption(flag, help);
  const { choices, completions, multiple, placeholder } = option;
  const made = new ParsedOption(`${flag} <${placeholder}>`, help);
  const offered = choices ?? completions;
  if (offered !== undefined) made.choices(offered);
  return made.argParser<string | string[]>((value, earlier = []) => {
    if (isFlagInPlaceOfValue(command, value)) {
      command.error(
        `--${key} takes a value, and ${value} follows it: if that is meant, give --${key}=${value}.`,
      );
    }
    if (choices !== undefined && !choices.includes(value)) {
      command.error(`--${key} takes ${choices.join(choices.length === 2 ? ' or ' : ', ')}, not ${value}.`);
    }
    return multiple === true ? [...earlier, value] : value;
  });
}

/**
 * Commander takes whatever comes next as the value. Without this, `apply --admin-secret --dry-run` would be a real
 * run with an odd secret.
 */
function isFlagInPlaceOfValue(command: Command, value: string): boolean {
  if (!/^-./.test(value)) return false;
  let root = command;
  while (root.parent !== null) root = root.parent;
  return rawArguments(root).includes(value);
}

/** What commander was called with; its types leave that out. */
function rawArguments(root: Command): readonly string[] {
  return 'rawArgs' in root && Array.isArray(root.rawArgs) ? root.rawArgs : [];
}

/** The lines of a paragraph as one; lines of a paragraph that is indented stay as they are. */
function withoutLineBreaks(text: string): string {
  return text.trim().replaceAll(/(\S)\n(?=\S)/g, '$1 ');
}
