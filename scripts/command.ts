import { type ParseArgsConfig, parseArgs } from 'node:util';
import { LatchkeyError } from '@latchkey/core/errors';

type OptionBase = { help: string; short?: string };
/** `placeholder` is what the help shows as its value: `--endpoint <url>`. */
export type Option =
  | (OptionBase & { type: 'string'; placeholder: string; multiple?: true })
  | (OptionBase & { type: 'boolean' });
export type Options = Record<string, Option>;

export type Values<O extends Options> = {
  [K in keyof O]?: O[K] extends { multiple: true }
    ? string[]
    : O[K] extends { type: 'string' }
      ? string
      : boolean;
};

export type Command = {
  /** Runs it with what follows its name on the command line, and gives the exit code. */
  run(args: string[]): Promise<number>;
};

/**
 * A command of `latchkey`: its options, the help made from them, and what it does.
 *
 * @param definition.description shown below the usage line; paragraphs of plain text
 * @param definition.argument what the one argument that is no option is called, where there is one
 * @param definition.isArgumentOptional whether it may be left out; it is empty then
 */
export function defineCommand<const O extends Options>(definition: {
  name: string;
  description: string;
  argument?: string;
  isArgumentOptional?: boolean;
  options: O;
  run(values: Values<O>, argument: string): Promise<number>;
}): Command {
  const { name, description, argument, isArgumentOptional = false, options, run } = definition;
  return {
    async run(args) {
      const { values, positionals } = parse(name, options, args, argument !== undefined);
      if ('help' in values) {
        const shown = isArgumentOptional ? `[${argument}]` : `<${argument}>`;
        console.log(helpText(argument === undefined ? name : `${name} ${shown}`, description, options));
        return 0;
      }
      const [given, ...further] = positionals;
      const isMissing = given === undefined && !isArgumentOptional;
      if (argument !== undefined && (isMissing || further.length > 0)) {
        throw new LatchkeyError(
          'configuration-invalid',
          `It takes one <${argument}>, and ${positionals.length} were given; latchkey ${name} --help tells more.`,
        );
      }
      return run(values as Values<O>, given ?? '');
    },
  };
}

const HELP = { type: 'boolean', short: 'h', help: 'Show this help.' } as const;

function parse(
  name: string,
  options: Options,
  args: string[],
  allowPositionals: boolean,
): { values: Record<string, unknown>; positionals: string[] } {
  const config: ParseArgsConfig = {
    args,
    strict: true,
    allowPositionals,
    options: Object.fromEntries(
      Object.entries({ ...options, help: HELP }).map(([key, { help: _, ...option }]) => [key, option]),
    ),
  };
  try {
    return parseArgs(config);
  } catch (cause) {
    // Node's own message goes on to explain how to pass an argument that begins with a dash.
    const [sentence = 'the arguments do not fit'] = (cause instanceof Error ? cause.message : '').split(
      /\. /,
    );
    throw new LatchkeyError(
      'configuration-invalid',
      `${sentence.replace(/\.$/, '')}; latchkey ${name} --help lists the options.`,
      {
        cause,
      },
    );
  }
}

function helpText(usage: string, description: string, options: Options): string {
  const rows = Object.entries({ ...options, help: HELP }).map(([key, option]) => {
    const placeholder = 'placeholder' in option ? ` <${option.placeholder}>` : '';
    const short = option.short === undefined ? '' : `-${option.short}, `;
    return [`  ${short}--${key}${placeholder}`, option.help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `latchkey ${usage} [options]`,
    '',
    description.trim(),
    '',
    'Options:',
    ...rows.map(([left, help]) => left.padEnd(width) + help.replaceAll('\n', `\n${' '.repeat(width)}`)),
  ].join('\n');
}
