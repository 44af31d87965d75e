import { LatchkeyError } from '@latchkey/core/errors';
import { freePort } from '@latchkey/local/processes/ports';
import { type LocalCasdoor, newRecord, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { fixture } from '@latchkey/tests/support/casdoor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PRIVATE_JWK, type ReadOptions, readDelivery, recordOf as recordAt } from '../../support/casdoor.ts';

const NOW = Date.parse('2026-11-21T00:00:00Z');
const nobody = '00000000-0000-4000-8000-000000000000';

let casdoor: LocalCasdoor;
beforeEach(async () => {
  casdoor = await startLocalCasdoor({ port: 0, privateJwk: PRIVATE_JWK });
});
afterEach(() => casdoor.close());

const read = (body: unknown, options?: ReadOptions) => readDelivery(casdoor, NOW, body, options);
const recordOf = (change: () => unknown) => recordAt(casdoor, change);

describe('the ledger', () => {
  test('keeps the action, the delivery’s name, the target’s id and the organization, and no more', async () => {
    const { result, records } = casdoor.intercept(() =>
      casdoor.actions.signUp('acme/ada', { email: 'ada@example.com', displayName: 'Ada Example' }),
    );
    expect(records.map(({ action }) => action)).toEqual(['signup', 'new-user']);
    for (const record of records) {
      expect(await read(record)).toMatchObject({
        subject: result.id,
        tenant: 'acme',
        payload: { name: record.name, action: record.action, target: result.id, organization: 'acme' },
      });
    }
    expect(records[0]?.object).toContain('in-plain-text');
    const kept = await Promise.all(
      records.map(async (record) => {
        const reading = await read(record);
        return { ...reading, records: [] };
      }),
    );
    expect(JSON.stringify(kept)).not.toMatch(/plain-text|example|salt|password/i);
  });

  test('can be read again from what it keeps', async () => {
    casdoor.directory.addGroup('acme/staff');
    casdoor.directory.addRole('acme/editor', { groups: ['acme/staff'] });
    casdoor.directory.addUser('acme/grace', { groups: ['acme/staff'] });
    const changes = [
      recordOf(() => casdoor.actions.updateUser('acme/grace', { displayName: 'Grace' })),
      recordOf(() => casdoor.actions.uploadAvatar('acme/grace', 'https://cdn.example.com/1')),
      recordOf(() => casdoor.actions.updateOrganization('acme', { displayName: 'Acme' })),
      recordOf(() => casdoor.actions.updateRole('acme/editor', { displayName: 'Editor' })),
      recordOf(() => casdoor.actions.addGroup('acme/crew')),
      recordOf(() => casdoor.actions.uploadUsers(['acme/new'])),
    ];
    for (const record of changes) {
      const first = await read(record);
      if (first.kind !== 'records') throw new Error(first.kind);
      expect(await read(first.payload)).toMatchObject({ records: first.records, isPartial: first.isPartial });
    }
  });

  test('keeps nothing of a body that is no record', async () => {
    const reading = await read('{"password":"in-plain-text"');
    expect(reading).toMatchObject({ kind: 'malformed', subject: null, payload: null });
    expect(JSON.stringify(reading)).not.toContain('in-plain-text');
  });

  test.each([
    ['{', 'Content type'],
    ['[]', 'Content type'],
    ['name=ada', 'Content type'],
    ['{"id":"7c9e","displayName":"Ada","owner":"acme","name":"ada"}', 'Is user extended'],
  ])('says of %s to look at the %s', async (body, advice) => {
    expect(await read(body)).toMatchObject({ kind: 'malformed', reason: expect.stringContaining(advice) });
  });

  test.each<[string, object, string]>([
    ['has no response, as before March 2024', { response: undefined }, 'March 2024'],
    ['tells of a call that failed', { response: '{status:"error", msg:""}' }, 'failed'],
    ['is of an event nobody asked for', { action: 'set-password' }, 'kept in step'],
    ['names nothing', { object: '', requestUri: '/api/update-user' }, 'Object fields'],
    ['tells the sign-in of a guest', { action: 'login', organization: '', user: '' }, 'nobody'],
    ['tells of a picture that is no avatar', { action: 'upload-resource' }, 'avatar'],
  ])('says why a record is ignored that %s', async (_what, fields, reason) => {
    const { action, ...record } = newRecord({ action: 'update-user', object: '{"owner":"acme","name":"x"}' });
    expect(await read({ action, ...record, ...fields })).toMatchObject({
      kind: 'ignored',
      reason: expect.stringContaining(reason),
    });
  });
});

describe('when Casdoor’s API fails, the delivery must come again:', () => {
  const unreachable = { code: 'provider-unreachable', status: 503 };

  test('with a wrong secret, which Casdoor ignores, so that it would answer with half the truth', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace', { isAdmin: true }));
    const wrong = { settings: { CASDOOR_CLIENT_SECRET: 'wrong' } };
    await expect(read(record, wrong)).rejects.toMatchObject(unreachable);
    // Of whom it does not know, it would say that there is nobody.
    const gone = recordOf(() => casdoor.actions.deleteUser('acme/grace'));
    await expect(read(gone, wrong)).rejects.toMatchObject(unreachable);
  });

  test('where it is not there', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace'));
    const settings = { CASDOOR_ENDPOINT: `http://127.0.0.1:${await freePort()}` };
    await expect(read(record, { settings })).rejects.toMatchObject({
      ...unreachable,
      message: expect.stringMatching(/http:\/\/127\.0\.0\.1:\d+ does not answer: the connection is refused/),
    });
  });

  test('even if its organization is gone: only Casdoor’s own answer makes a user gone', async () => {
    const failure = new LatchkeyError('provider-unreachable', 'A timeout.');
    const object = JSON.stringify({ owner: 'gone', name: 'zed', id: nobody });
    const record = newRecord({ action: 'update-user', object });
    const api = { findUser: () => Promise.reject(failure) };
    await expect(read(record, { api })).rejects.toBe(failure);
  });

  test('and the error names no user', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace'));
    const error = await read(record, { settings: { CASDOOR_CLIENT_SECRET: 'wrong' } }).catch(String);
    expect(error).not.toContain('grace');
  });
});

test.each([
  'webhook.add-group.json',
  'webhook.add-organization.json',
  'webhook.add-user.json',
  'webhook.delete-user.denied.json',
  'webhook.delete-user.json',
  'webhook.login.failed.json',
  'webhook.login.json',
  'webhook.login.tokenFields.json',
  'webhook.logout.json',
  'webhook.new-user-ldap.json',
  'webhook.new-user.json',
  'webhook.set-password.json',
  'webhook.signup.json',
  'webhook.signup.failed.json',
  'webhook.update-role.json',
  'webhook.update-user.json',
])('%s is read without an error, and nothing of its object is kept', async (name) => {
  const reading = await read(fixture(name));
  expect(['records', 'ignored']).toContain(reading.kind);
  expect(JSON.stringify(reading)).not.toMatch(/plain-text|argon2id|example\.com/);
});
