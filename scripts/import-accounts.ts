import { readFile } from 'node:fs/promises';
import { LatchkeyError } from '@latchkey/core/errors';
import { createHasuraClient, type HasuraClient } from '@latchkey/identity/hasura/client';
import { CountAccountsDocument, ImportAccountsDocument } from '@latchkey/identity/hasura/generated/documents';
import { type Account, readAccounts } from './accounts/read-accounts.ts';
import { chooseTrusted, readTrust } from './accounts/trust.ts';
import { defineCommand } from './command.ts';
import { type Environment, environmentWithDotEnv } from './environment.ts';

/** While one batch is written no user is, so it must be done in a moment. */
const BATCH = 500;
const TIMEOUT_MS = 60_000;

export const importAccounts = defineCommand({
  name: 'import-accounts',
  description: `
Brings the accounts of an application from before into identity.imported_accounts, from a CSV file
whose first line is legacy_id,email or a JSON file with a list of such objects. The first user who has
verified an account's e-mail address takes it over: users.legacy_id is the old id then (docs/adoption.md).

Verified is an address by the word of Clerk and Cognito. That of Casdoor counts only if it is trusted by
name: some versions let users mark their own address as verified.

The file is looked through before anything is written. It can be imported again, with more or with
corrected addresses: accounts that were taken over stay as they are.

The settings are HASURA_GRAPHQL_ENDPOINT and HASURA_GRAPHQL_ADMIN_SECRET, from the environment or .env.

Exit codes: 0 done, 1 an address is another account's, 2 wrong call, setting or file, 3 Hasura does not
answer.`,
  argument: 'file',
  isArgumentOptional: true,
  options: {
    'dry-run': { type: 'boolean', help: 'Only look through the file.' },
    trust: {
      type: 'string',
      placeholder: 'provider',
      multiple: true,
      help: 'Have this provider’s word of a verified address count from now on,\nalso for accounts that were imported before; the file may be left out.',
    },
    distrust: {
      type: 'string',
      placeholder: 'provider',
      multiple: true,
      help: 'No longer have it count. Accounts that were taken over stay so.',
    },
  },
  async run({ 'dry-run': dryRun = false, trust = [], distrust = [] }, file) {
    const chosen = readTrust(trust, distrust);
    if (chosen === undefined) return importFile(file, dryRun);
    if (dryRun) {
      throw new LatchkeyError('configuration-invalid', '--dry-run goes with a file alone.');
    }
    await chooseTrusted(connect(environmentWithDotEnv()), chosen);
    return file === '' ? 0 : importFile(file, dryRun);
  },
});

async function importFile(file: string, dryRun: boolean): Promise<number> {
  if (file === '') {
    throw new LatchkeyError(
      'configuration-invalid',
      'It takes one <file>, or --trust or --distrust; latchkey import-accounts --help tells more.',
    );
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LatchkeyError('configuration-invalid', `${file} cannot be read.`, { cause });
  });
  const accounts = readAccounts(file, text);
  if (dryRun) {
    console.log(`${file} holds ${accounts.length} accounts; none was imported.`);
    return 0;
  }
  const engine = connect(environmentWithDotEnv());
  for (let from = 0; from < accounts.length; from += BATCH) {
    await write(engine, accounts.slice(from, from + BATCH), from);
  }
  const { all, claimed } = await engine.request(CountAccountsDocument, {});
  console.log(
    `Accounts imported: ${accounts.length}. Of all ${all.aggregate?.count ?? 0} accounts ${claimed.aggregate?.count ?? 0} are taken over.`,
  );
  return 0;
}

function connect({ HASURA_GRAPHQL_ENDPOINT, HASURA_GRAPHQL_ADMIN_SECRET }: Environment): HasuraClient {
  if (HASURA_GRAPHQL_ADMIN_SECRET === undefined) {
    throw new LatchkeyError(
      'configuration-invalid',
      'HASURA_GRAPHQL_ADMIN_SECRET is missing: set it to the admin secret that the engine was started with.',
    );
  }
  const endpoint = (HASURA_GRAPHQL_ENDPOINT ?? 'http://127.0.0.1:8080').replace(/\/+$/, '');
  return createHasuraClient({ endpoint, adminSecret: HASURA_GRAPHQL_ADMIN_SECRET, timeoutMs: TIMEOUT_MS });
}

async function write(
  engine: Pick<HasuraClient, 'request'>,
  accounts: readonly Account[],
  from: number,
): Promise<void> {
  try {
    await engine.request(ImportAccountsDocument, {
      accounts: accounts.map(({ legacyId, email }) => ({ legacy_id: legacyId, email })),
    });
  } catch (error) {
    if (!(error instanceof LatchkeyError && error.code === 'record-refused')) throw error;
    throw new LatchkeyError(
      'record-refused',
      `The first ${from} accounts were imported. Among the next ${accounts.length} is an address that another account has already, of an earlier file: decide which of the two it belongs to.`,
      { cause: error },
    );
  }
}
