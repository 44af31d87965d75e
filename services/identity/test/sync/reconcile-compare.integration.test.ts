import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  EPOCH,
  type IdentityRecord,
  type MembershipRecord,
  stubOrganization,
  stubUser,
  type UserRecord,
} from '#core/records.ts';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import type { Listed } from '#providers/parts.ts';
import { drift, repair } from '#sync/reconcile.ts';
import { driftOf } from '#sync/report.ts';
import { createWriter, type Writer } from '#sync/writer.ts';

let project: EmbeddedProject;
let engine: HasuraClient;
let writer: Writer;
beforeAll(async () => {
  project = await startEmbedded();
  engine = createHasuraClient(project.config);
  writer = createWriter(engine, { inFlight: 2, queueLimit: 1000 });
});
afterAll(() => project.close());
beforeEach(() => project.database.query('TRUNCATE public.users, public.organizations CASCADE'));

const LONG_AGO = 1767225600000;

/** As Casdoor and Cognito tell them: with the clock of the reading. */
const user = (changes: Partial<UserRecord> = {}): UserRecord => ({
  ...stubUser({ provider: 'casdoor', tenant: '', id: 'u1' }, LONG_AGO),
  clock: Date.now(),
  sourceCreatedAt: LONG_AGO,
  email: 'ada@example.com',
  name: 'Ada',
  roles: ['editor', 'viewer'],
  metadata: { plan: 'free', nested: { b: [1, 2.5, null], a: true } },
  ...changes,
});
const membership = (changes: Partial<MembershipRecord> = {}): MembershipRecord => ({
  kind: 'membership',
  provider: 'casdoor',
  tenant: '',
  organizationId: 'o1',
  userId: 'u1',
  clock: Date.now(),
  deleted: false,
  sourceCreatedAt: null,
  role: 'org:member',
  ...changes,
});
const organization = (name: string): IdentityRecord => ({
  ...stubOrganization({ provider: 'casdoor', tenant: '', id: 'o1' }),
  clock: Date.now(),
  name,
});

/** A provider that holds exactly these, and dates them to the instant of the reading. */
function provider(...records: IdentityRecord[]): Listed {
  return {
    name: 'casdoor',
    directory: {
      clock: 'reading',
      async *pages() {
        yield { records, cursor: '' };
      },
      lookup: async () => undefined,
    },
  };
}
const repairTo = (...records: IdentityRecord[]) =>
  repair({ provider: provider(...records), engine, writer }, { deletionLimit: { share: 1, rows: 0 } });
const rows = () => project.database.query('SELECT * FROM public.users ORDER BY id');

describe('where the clock only says when it was read', () => {
  test('what has not changed is not written again', async () => {
    const all = () => [organization('Org'), user(), membership()];
    await repairTo(...all());
    const before = await rows();
    const again = await repairTo(...all());
    expect(again.written).toEqual({ user: 0, organization: 0, membership: 0 });
    expect(driftOf(again)).toBe(0);
    expect(await rows()).toEqual(before);
  });

  test.each<[string, Partial<UserRecord>]>([
    ['a name', { name: 'Augusta' }],
    ['an address', { email: null }],
    ['a role', { roles: ['editor'] }],
    ['something within the metadata', { metadata: { plan: 'free', nested: { a: true, b: [1, 2.5, 0] } } }],
    ['when it was created', { sourceCreatedAt: LONG_AGO + 1 }],
  ])('%s that has changed is stale, and written', async (_what, changes) => {
    await repairTo(user());
    expect((await repairTo(user(changes))).drift.stale.user).toBe(1);
    expect((await repairTo(user(changes))).drift.stale.user).toBe(0);
  });

  test('the order of keys is no change', async () => {
    await repairTo(user());
    const turned = user({ metadata: { nested: { a: true, b: [1, 2.5, null] }, plan: 'free' } });
    expect(driftOf(await repairTo(turned))).toBe(0);
  });

  test('a member’s new role is stale', async () => {
    await repairTo(organization('Org'), user(), membership());
    const report = await repairTo(organization('Org'), user(), membership({ role: 'org:admin' }));
    expect(report.drift.stale).toEqual({ user: 0, organization: 0, membership: 1 });
  });

  test('a stub is overridden, even by somebody of whom nothing is known', async () => {
    await writer.write([stubUser({ provider: 'casdoor', tenant: '', id: 'u1' })]);
    const nobody = { ...stubUser({ provider: 'casdoor', tenant: '', id: 'u1' }), clock: Date.now() };
    expect((await repairTo(nobody)).drift.stale.user).toBe(1);
    expect(Number((await rows())[0]?.source_updated_at)).not.toBe(EPOCH);
  });

  test('somebody deleted who is there again is missing, and comes back', async () => {
    await repairTo(user());
    await repairTo();
    expect(await rows()).toMatchObject([{ deleted_at: expect.any(Date), email: null }]);
    const report = await repairTo(user({ clock: Date.now() + 1 }));
    expect(report.drift.missing.user).toBe(1);
    expect(await rows()).toMatchObject([{ deleted_at: null, email: 'ada@example.com' }]);
  });

  test('somebody deleted after the listing began stays deleted', async () => {
    await writer.write([{ ...user(), deleted: true, clock: Date.now() + 60_000 }]);
    expect(driftOf(await drift({ provider: provider(user()), engine, writer }))).toBe(0);
  });
});

test('memberships of one user in many organizations, and of many in one, are each compared', async () => {
  const crowd = Array.from({ length: 120 }, (_, index) => user({ id: `u${index}` }));
  const places = Array.from({ length: 120 }, (_, index) => ({
    ...stubOrganization({ provider: 'casdoor', tenant: '', id: `o${index}` }),
    clock: Date.now(),
  }));
  const memberships = [
    ...crowd.map(({ id }) => membership({ organizationId: 'o0', userId: id })),
    ...places.slice(1).map(({ id }) => membership({ organizationId: id, userId: 'u0' })),
  ];
  await repairTo(...places, ...crowd, ...memberships);
  expect(driftOf(await repairTo(...places, ...crowd, ...memberships))).toBe(0);
  const changed = memberships.map((one, index) =>
    index % 40 === 0 ? { ...one, role: 'org:admin', clock: Date.now() } : one,
  );
  expect((await repairTo(...places, ...crowd, ...changed)).drift.stale.membership).toBe(6);
});

test('the walk through the rows comes to each of them, over many stretches', async () => {
  await project.database.query(`
    INSERT INTO public.organizations (id, provider, source_updated_at)
      SELECT 'o' || n, 'casdoor', timestamptz 'epoch' FROM generate_series(1, 1001) n;
    INSERT INTO public.users (id, provider, source_updated_at)
      SELECT 'u' || n, 'casdoor', timestamptz 'epoch' FROM generate_series(1, 2000) n;
    -- One organization is longer than a stretch, the next ends with one, and many are short.
    INSERT INTO public.organization_memberships (organization_id, user_id, provider, source_updated_at)
      SELECT 'o1', 'u' || n, 'casdoor', timestamptz 'epoch' FROM generate_series(1, 1500) n
      UNION ALL SELECT 'o10', 'u' || n, 'casdoor', timestamptz 'epoch' FROM generate_series(1, 500) n
      UNION ALL SELECT 'o' || n, 'u' || n, 'casdoor', timestamptz 'epoch' FROM generate_series(200, 900) n`);
  const report = await repairTo();
  expect(report.stored).toEqual({ organization: 1001, user: 2000, membership: 2701 });
  expect(report.drift.extra).toEqual(report.stored);
  // The database lets the memberships go with them.
  expect(report.deleted).toEqual({ ...report.stored, membership: 0 });
  expect(
    await project.database.query('SELECT 1 FROM public.organization_memberships WHERE deleted_at IS NULL'),
  ).toEqual([]);
});
