import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClerkUser } from '@latchkey/local/stand-ins/clerk';
import { applyProject } from '@latchkey/scripts/project/apply-project';
import { createMetadataApi } from '@latchkey/scripts/project/metadata-api';
import { readProject } from '@latchkey/scripts/project/project';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { latchkey } from '../support/latchkey.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLE = join(ROOT, 'examples', 'adoption');
const TABLES = join('metadata', 'databases', 'default', 'tables');

let stack: TestStack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  stack = await startTestStack();
  await applyExample();
  await stack.asAdmin(
    `mutation ($orders: [legacy_orders_insert_input!]!) { insert_legacy_orders(objects: $orders) { affected_rows } }`,
    {
      orders: [
        { id: 1, customer_id: '17', item: 'a lamp' },
        { id: 2, customer_id: '17', item: 'a loom' },
        { id: 3, customer_id: '18', item: 'a saw' },
        { id: 4, customer_id: '19', item: 'a sieve' },
        { id: 5, customer_id: '20', item: 'a spade' },
      ],
    },
  );
});
afterAll(async () => {
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Brings the engine to this project with the example in it, as its README says. */
async function applyExample(): Promise<void> {
  await cp(join(ROOT, 'hasura', 'config.yaml'), join(folder, 'hasura', 'config.yaml'), { recursive: true });
  for (const part of ['metadata', 'migrations']) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
    await cp(join(EXAMPLE, part), join(folder, part), { recursive: true });
  }
  const users = join(folder, TABLES, 'public_users.yaml');
  const table = z
    .looseObject({ array_relationships: z.array(z.unknown()) })
    .parse(parse(await readFile(users, 'utf8')));
  const further = z
    .array(z.unknown())
    .parse(parse(await readFile(join(EXAMPLE, TABLES, 'public_users.array_relationships.yaml'), 'utf8')));
  table.array_relationships.push(...further);
  await writeFile(users, stringify(table));
  const list = join(folder, TABLES, 'tables.yaml');
  await writeFile(list, `${await readFile(list, 'utf8')}- "!include public_legacy_orders.yaml"\n`);
  const project = await readProject(join(folder, 'hasura'));
  const { inconsistent } = await applyProject(
    createMetadataApi(stack.engine.url, stack.adminSecret),
    project,
  );
  expect(inconsistent).toEqual([]);
}

const importAccounts = (...args: string[]) =>
  latchkey(['import-accounts', ...args], {
    HASURA_GRAPHQL_ENDPOINT: stack.engine.url,
    HASURA_GRAPHQL_ADMIN_SECRET: stack.adminSecret,
  });

async function signUp(email: string, verified = true): Promise<ClerkUser> {
  const { result, message } = stack.change(() => stack.clerk.directory.signUp({ email, verified }));
  await stack.deliver(message);
  return result;
}
const ask = async (user: ClerkUser, query: string) => stack.asUser(await stack.clerk.token(user.id), query);
const ORDERS =
  '{ legacy_orders(order_by: {id: asc}) { item } users { legacy_orders(order_by: {id: asc}) { item } } }';
const saw = (...items: string[]) => {
  const rows = items.map((item) => ({ item }));
  return { legacy_orders: rows, users: [{ legacy_orders: rows }] };
};

test('whoever has verified the address of an old account reads its rows, and nobody else’s', async () => {
  const { stdout, code } = await importAccounts(join(EXAMPLE, 'accounts.csv'));
  expect([code, stdout]).toEqual([0, 'Accounts imported: 2. Of all 2 accounts 0 are taken over.\n']);

  const ada = await signUp('ada@example.com');
  const eve = await signUp('eve@example.com');
  expect(await ask(ada, ORDERS)).toEqual(saw('a lamp', 'a loom'));
  expect(await ask(eve, ORDERS)).toEqual(saw());

  const ben = await signUp('Ben@Example.com');
  expect(await ask(ben, ORDERS)).toEqual(saw('a saw'));
  expect(await ask(ada, '{ legacy_orders(where: {item: {_eq: "a saw"}}) { item } }')).toEqual({
    legacy_orders: [],
  });
  for (const condition of ['{email: {_eq: "ada@example.com"}}', '{id: {_is_null: false}}', '{}']) {
    expect(await ask(eve, `{ legacy_orders(where: {customer: ${condition}}) { item } }`)).toEqual({
      legacy_orders: [],
    });
  }
});

test('an unverified address opens nothing, until it is verified', async () => {
  await writeFile(join(folder, 'more.json'), JSON.stringify([{ legacy_id: 19, email: 'cem@example.com' }]));
  expect(await importAccounts(join(folder, 'more.json'))).toMatchObject({ code: 0 });
  const cem = await signUp('cem@example.com', false);
  expect(await ask(cem, ORDERS)).toEqual(saw());
  const { message } = stack.change(() =>
    stack.clerk.directory.updateUser(cem.id, { email: 'cem@example.com', verified: true }),
  );
  await stack.deliver(message);
  expect(await ask(cem, ORDERS)).toEqual(saw('a sieve'));
});

test('an account that is imported after its user is theirs at once; a deleted user reads nothing any more', async () => {
  const dee = await signUp('dee@example.com');
  expect(await ask(dee, ORDERS)).toEqual(saw());
  await writeFile(join(folder, 'late.csv'), 'email,legacy_id\r\n"DEE@example.com",20\r\n');
  const { stdout } = await importAccounts(join(folder, 'late.csv'));
  expect(stdout).toContain('Accounts imported: 1.');
  expect(await ask(dee, ORDERS)).toEqual(saw('a spade'));

  const token = await stack.clerk.token(dee.id);
  await stack.deliver(stack.change(() => stack.clerk.directory.deleteUser(dee.id)).message);
  expect(await stack.asUser(token, ORDERS)).toEqual({ legacy_orders: [], users: [] });
  expect(
    await stack.asAdmin(
      '{ identity_imported_accounts_by_pk(legacy_id: "20") { email claimed_by claimed_at } }',
    ),
  ).toEqual({
    identity_imported_accounts_by_pk: { email: null, claimed_by: dee.id, claimed_at: expect.any(String) },
  });
  // Nor does whoever has the address next.
  const heir = await signUp('dee@example.com');
  await importAccounts(join(folder, 'late.csv'));
  expect(await ask(heir, ORDERS)).toEqual(saw());
});

test('Casdoor’s word opens nothing until it is trusted by name, and no more once it is not', async () => {
  // Whoever may mark their own address as verified could be anybody.
  const insert = (id: string, email: string) =>
    stack.asAdmin(`mutation ($user: users_insert_input!) { insert_users_one(object: $user) { id } }`, {
      user: {
        id,
        email,
        provider: 'casdoor',
        tenant: 'acme',
        email_verified: true,
        source_updated_at: '2026-01-01',
      },
    });
  const owner = async (account: string) =>
    (await stack.asAdmin(`{ identity_imported_accounts_by_pk(legacy_id: "${account}") { claimed_by } }`))
      .identity_imported_accounts_by_pk;
  await insert('uuid-fay', 'fay@example.com');
  await writeFile(join(folder, 'fay.csv'), 'legacy_id,email\n30,fay@example.com\n31,gil@example.com\n');
  await importAccounts(join(folder, 'fay.csv'));
  expect(await owner('30')).toEqual({ claimed_by: null });

  for (const _time of [1, 2]) {
    expect(await importAccounts('--trust', 'casdoor')).toEqual({
      code: 0,
      stdout: 'Accounts are opened by the word of casdoor, clerk, cognito.\n',
      stderr: expect.stringContaining('docs/adoption.md'),
    });
    expect(await owner('30')).toEqual({ claimed_by: 'uuid-fay' });
  }
  for (const _time of [1, 2]) {
    expect(await importAccounts('--distrust', 'casdoor')).toMatchObject({
      code: 0,
      stdout: 'Accounts are opened by the word of clerk, cognito.\n',
    });
  }
  await insert('uuid-gil', 'gil@example.com');
  expect([await owner('30'), await owner('31')]).toEqual([{ claimed_by: 'uuid-fay' }, { claimed_by: null }]);
});

test.each<[string[], RegExp]>([
  [[], /It takes one <file>, or --trust or --distrust/],
  [['--trust', 'okta'], /--trust takes clerk, casdoor, cognito, oidc, not okta/],
  [['--distrust', 'Casdoor'], /--distrust takes clerk, casdoor, cognito, oidc, not Casdoor/],
  [['--trust', 'casdoor', '--distrust', 'casdoor'], /Either --trust or --distrust casdoor/],
  [['--trust', 'casdoor', '--dry-run'], /--dry-run goes with a file alone/],
  [['one.csv', 'two.csv'], /takes one <file>/],
])('import-accounts %j is refused, and says why', async (args, message) => {
  expect(await importAccounts(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
});

test('an address that another account has already is refused, and told', async () => {
  await writeFile(join(folder, 'twice.csv'), 'legacy_id,email\n99,ada@EXAMPLE.com\n');
  const { code, stderr } = await importAccounts(join(folder, 'twice.csv'));
  expect([code, stderr]).toEqual([1, expect.stringContaining('decide which of the two')]);
});

test('a user finds nothing of the accounts themselves', async () => {
  const ada = stack.clerk.directory.findUser('ada@example.com');
  const token = await stack.clerk.token(ada?.id ?? '');
  for (const query of ['{ identity_imported_accounts { email } }', '{ users { legacy_id } }']) {
    expect(await stack.hasura.query(query, { token })).toMatchObject({
      data: null,
      codes: ['validation-failed'],
    });
  }
});
