import { styleText } from 'node:util';
import { LatchkeyError } from '@latchkey/core/errors';
import { type Command, CommanderError } from 'commander';
import { environment } from '../environment.ts';
import { COMMANDS } from './commands.ts';
import { createProgram } from './program.ts';
import { describeWrongUse, pathOf } from './wrong-use.ts';

/**
 * Runs what the command line asks for, and sets `process.exitCode`: 0 fine, 1 found something, 2 wrong use, 3 not
 * reachable.
 *
 * @param args the command line without node and program
 */
export async function main(args: readonly string[]): Promise<void> {
  const program = await createProgram(COMMANDS, args);
  try {
    await program.run();
  } catch (error) {
    process.exitCode =
      error instanceof CommanderError
        ? explainWrongUse(error, program.current())
        : explainFailure(error, program.current());
  }
}

/** @returns the exit code */
function explainWrongUse(error: CommanderError, command: Command): number {
  // It was asked for help or the version, and has printed it.
  if (error.exitCode === 0) return 0;
  // Where the command is missing, Commander has printed the help instead.
  if (error.code !== 'commander.help') print(command, describeWrongUse(command, error));
  return 2;
}

/** @returns the exit code */
function explainFailure(error: unknown, command: Command): number {
  print(command, error instanceof Error ? error.message : String(error));
  if (environment.LATCHKEY_DEBUG !== undefined) console.error(error);
  return error instanceof LatchkeyError ? error.exitCode : 1;
}

function print(command: Command, message: string): void {
  console.error(`${styleText('red', `${pathOf(command)}:`, { stream: process.stderr })} ${message}`);
}
