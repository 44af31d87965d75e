import type { CommandEntry } from './program.ts';

/** One file a command, loaded only when asked for. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'start',
    summary: 'Run the whole stack on this machine, with a local Clerk.',
    load: async () => (await import('../start.ts')).start,
  },
  {
    name: 'demo',
    summary: 'Show, step by step, that sync and permissions hold.',
    load: async () => (await import('../demo.ts')).demo,
  },
  {
    name: 'jwt-secret',
    summary: 'Print the setting with which Hasura trusts your provider, and what to paste there.',
    load: async () => (await import('../jwt-secret.ts')).jwtSecret,
  },
  {
    name: 'apply',
    summary: 'Apply migrations and metadata to a Hasura.',
    load: async () => (await import('../apply.ts')).apply,
  },
  {
    name: 'new',
    summary: 'Make the files of a new migration.',
    load: async () => (await import('../new.ts')).create,
  },
  {
    name: 'migrate',
    summary: 'Undo migrations.',
    load: async () => (await import('../migrate.ts')).migrate,
  },
  {
    name: 'sync',
    summary: 'Bring everybody in, look for differences, fix them.',
    load: async () => (await import('../sync.ts')).sync,
  },
  {
    name: 'replay',
    summary: 'Deliver dead deliveries once more.',
    load: async () => (await import('../replay.ts')).replay,
  },
  {
    name: 'revoke',
    summary: 'End all sessions of a user.',
    load: async () => (await import('../revoke.ts')).revoke,
  },
  {
    name: 'import-accounts',
    summary: 'Bring in the accounts from before, for their users to take over.',
    load: async () => (await import('../import-accounts.ts')).importAccounts,
  },
];
