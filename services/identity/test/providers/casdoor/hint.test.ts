import { fixture } from '@latchkey/tests/support/casdoor';
import { expect, test } from 'vitest';
import { type Hint, type NoHint, readHint, readRecord } from '#providers/casdoor/hint.ts';

const GRACE = '11111111-2222-4333-8444-555555555555';
const ADA = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const SEEN = Date.parse('2026-01-01T00:00:05Z');

const hintOf = (body: string): Hint | NoHint => {
  const record = readRecord(body);
  if (record === undefined) throw new Error('It is no record.');
  return readHint(record);
};
const user = (ids: string[], names: string[], seen?: number) => ({ kind: 'user', ids, names, seen });

// Whoever acts is built-in/admin in all records of administrators.
test.each<[string, unknown]>([
  ['webhook.signup.json', user([], ['acme/ada'], SEEN)],
  ['webhook.login.json', user([], ['acme/ada'], SEEN)],
  ['webhook.login.tokenFields.json', user([], ['acme/ada'], SEEN)],
  ['webhook.new-user.json', user([ADA], ['acme/ada'])],
  ['webhook.new-user-ldap.json', user([ADA], ['acme/ada'])],
  ['webhook.add-user.json', user([GRACE], ['acme/grace'])],
  ['webhook.update-user.json', user([GRACE], ['acme/grace'])],
  ['webhook.update-user.columns.json', user([], ['acme/grace'])],
  ['webhook.update-user.by-id.json', user([GRACE], ['acme/grace'])],
  ['webhook.update-user.renamed.json', user([GRACE], ['acme/grace', 'acme/grace2'])],
  ['webhook.delete-user.json', user([GRACE], ['acme/grace'])],
  ['webhook.remove-user-from-group.json', user([], ['acme/grace'])],
  ['webhook.add-organization.json', { kind: 'organization', names: ['acme'] }],
  ['webhook.update-organization.json', { kind: 'organization', names: ['acme'] }],
  ['webhook.delete-organization.json', { kind: 'organization', names: ['acme'] }],
  ['webhook.add-group.json', { kind: 'group', names: ['acme/staff'] }],
  ['webhook.delete-group.json', { kind: 'group', names: ['acme/staff'] }],
  ['webhook.update-role.json', { kind: 'role', names: ['acme/editor'] }],
])('%s is about its target, never about who acted', (name, hint) => {
  expect(hintOf(fixture(name))).toEqual(hint);
});

test.each([
  'webhook.login.failed.json',
  'webhook.signup.failed.json',
  'webhook.delete-user.denied.json',
  'webhook.delete-group.refused.json',
  'webhook.logout.json',
  'webhook.set-password.json',
])('%s says nothing, though its status is 200', (name) => {
  expect(hintOf(fixture(name))).toMatchObject({ kind: 'nobody' });
});

const record = (fields: object) =>
  JSON.stringify({
    ...JSON.parse(fixture('webhook.update-user.json')),
    object: '',
    requestUri: '/api/update-user',
    ...fields,
  });

test('an update that renames an organization or a group is about both names', () => {
  const renamed = { requestUri: '/api/update-group?id=acme%2Fstaff', action: 'update-group' };
  expect(hintOf(record({ ...renamed, object: '{"owner":"acme","name":"crew"}' }))).toEqual({
    kind: 'group',
    names: ['acme/staff', 'acme/crew'],
  });
  const moved = { requestUri: '/api/update-organization?id=admin/acme', action: 'update-organization' };
  expect(hintOf(record({ ...moved, object: '{"owner":"admin","name":"acme2"}' }))).toEqual({
    kind: 'organization',
    names: ['acme', 'acme2'],
  });
});

test('an avatar is that of whom its query names, whoever uploads it', () => {
  const requestUri =
    '/api/upload-resource?application=app-acme&fullFilePath=avatar/acme/bob/x.png&owner=acme&parent=X&provider=p&tag=avatar&user=bob';
  const upload = { action: 'upload-resource', requestUri, object: '------\r\n\uFFFDPNG', organization: '' };
  expect(hintOf(record(upload))).toEqual(user([], ['acme/bob']));
});

test.each([
  ['upload-users', '/api/upload-users', 'built-in'],
  ['upload-groups', '/api/upload-groups', 'built-in'],
  ['upload-roles', '/api/upload-roles', 'built-in'],
  ['run-syncer', '/api/run-syncer?id=admin/syncer-acme', 'built-in'],
  ['sync-ldap-users', '/api/sync-ldap-users?id=acme/ldap-acme', 'acme'],
])('%s is about everybody of an organization', (action, requestUri, organization) => {
  expect(hintOf(record({ action, requestUri, object: '[{"uid":"lena"}]' }))).toEqual({
    kind: 'everybody',
    organization,
  });
});

test('an object cut down to owner, name and id is enough, and so is a form without parts', () => {
  const cut = `{"owner":"acme","name":"grace","id":"${GRACE}"}`;
  expect(hintOf(record({ action: 'delete-user', object: cut }))).toEqual(user([GRACE], ['acme/grace']));
  expect(hintOf(record({ action: 'remove-user-from-group', object: 'owner=acme&name=grace' }))).toEqual(
    user([], ['acme/grace']),
  );
});

test.each<[string, object]>([
  ['names nobody', {}],
  [
    'is of an action that is not kept in step',
    { action: 'add-permission', object: '{"owner":"a","name":"b"}' },
  ],
  ['is of an action that never was', { action: 'toString', object: '{"owner":"a","name":"b"}' }],
  ['names a path and no user', { requestUri: '/api/update-user?id=acme/x/y', object: '' }],
  ['is of a file that is no avatar', { requestUri: '/api/upload-resource?owner=acme&user=bob&tag=custom' }],
  ['is of an avatar of nobody', { requestUri: '/api/upload-resource?owner=&user=bob&tag=avatar' }],
  ['has an object of the wrong kind', { object: '["acme","grace"]' }],
  ['has an id that is no text', { object: '{"id":{"a":1}}' }],
  ['has an id longer than any', { object: JSON.stringify({ id: 'x'.repeat(256) }) }],
  ['has no response', { object: '{"owner":"acme","name":"grace"}', response: '' }],
  [
    'only quotes success',
    { object: '{"owner":"a","name":"b"}', response: '{status:"error", msg:"{status:\\"ok\\""}' },
  ],
  ['was made by nobody', { action: 'login', organization: '', user: '' }],
])('a record that %s says nothing', (_why, fields) => {
  expect(hintOf(record(fields))).toMatchObject({ kind: 'nobody' });
});

test('only the events that Casdoor fires by itself may lack a response', () => {
  const object = '{"owner":"acme","name":"grace"}';
  expect(hintOf(record({ action: 'new-user-syncer', object, response: '' }))).toEqual(
    user([], ['acme/grace']),
  );
  for (const fields of [
    { action: 'new-user', object, response: '' },
    { action: 'new-user-ldap', object, response: '{status:"error"' },
  ]) {
    expect(hintOf(record(fields))).toMatchObject({ kind: 'nobody' });
  }
});

test.each(['', 'null', '[]', '{}', '{"name":1,"action":"login"}', '{"name":"x"}', '{'])(
  '%j is no record of Casdoor’s',
  (body) => {
    expect(readRecord(body)).toBeUndefined();
  },
);
