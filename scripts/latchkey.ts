import { enableCompileCache } from 'node:module';
import { LatchkeyError } from '@latchkey/core/errors';
import { COMPILE_CACHE } from '@latchkey/local/processes/processes';
import type { Command } from './command.ts';
import { environment } from './environment.ts';

// What is loaded from here on, a command with all that it needs, is there in half the time.
enableCompileCache(COMPILE_CACHE);

type Entry = { name: string; summary: string; load(): Promise<Command> };

/** One file a command, loaded only when asked for. */
const COMMANDS: readonly Entry[] = [
  {
    name: 'start',
    summary: 'Run the whole stack on this machine, with a local Clerk.',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'demo',
    summary: 'Show, step by step, that sync and permissions hold.',
    load: async () => (await import('./demo.ts')).demo,
  },
  {
    name: 'jwt-secret',
    summary: 'Print the setting with which Hasura trusts your provider, and what to paste there.',
    load: async () => (await import('./jwt-secret.ts')).jwtSecret,
  },
  {
    name: 'apply',
    summary: 'Apply migrations and metadata to a Hasura.',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'sync',
    summary: 'Bring everybody in, look for differences, fix them.',
    load: async () => (await import('./sync.ts')).sync,
  },
  {
    name: 'replay',
    summary: 'Deliver dead deliveries once more.',
    load: async () => (await import('./replay.ts')).replay,
  },
  {
    name: 'revoke',
    summary: 'End all sessions of a user.',
    load: async () => (await import('./revoke.ts')).revoke,
  },
  {
    name: 'import-accounts',
    summary: 'Bring in the accounts from before, for their users to take over.',
    load: async () => (await import('./import-accounts.ts')).importAccounts,
  },
];

process.exitCode = await main(process.argv.slice(2));

async function main([name, ...rest]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? console.error : console.log)(overview());
    return name === undefined ? 2 : 0;
  }
  const entry = COMMANDS.find((command) => command.name === name);
  if (entry === undefined) {
    const what = name.startsWith('-') ? 'option' : 'command';
    console.error(`latchkey: unknown ${what} ${name}; latchkey --help lists the commands.`);
    return 2;
  }
  try {
    return await (await entry.load()).run(rest);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(`latchkey ${name}: ${message}`);
    if (environment.LATCHKEY_DEBUG !== undefined) console.error(error);
    return error instanceof LatchkeyError ? error.exitCode : 1;
  }
}

function overview(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length)) + 2;
  return [
    'latchkey <command> [options]',
    '',
    'Commands:',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'latchkey <command> --help tells more of each.',
  ].join('\n');
}
