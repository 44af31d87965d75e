import { expect, test } from 'vitest';
import type { HasuraClient } from '#hasura/client.ts';
import { WalkOrganizationsDocument, WalkUsersDocument } from '#hasura/generated/documents.ts';
import { findUnlisted } from '#sync/find-unlisted.ts';
import { createKeySet } from '#sync/key-set.ts';
import { keyOf } from '#sync/keys.ts';

const BEGAN = Date.parse('2026-01-01T12:00:00.000Z');
const at = (offset: number) => new Date(BEGAN + offset).toISOString();

/** Tables with these users, and one membership for each in the organization `o`. */
function tables(users: readonly { id: string; tenant: string; clock: number }[]) {
  const rows = users.map(({ clock, ...user }) => ({ ...user, source_updated_at: at(clock) }));
  const request = async (document: unknown): Promise<unknown> => {
    if (document === WalkOrganizationsDocument) return { organizations: [] };
    if (document === WalkUsersDocument) return { users: rows };
    const members = rows.map(({ id, ...row }) => ({
      ...row,
      user_id: id,
      organization_id: 'o',
      organization: { deleted_at: null },
      user: { deleted_at: null },
    }));
    return { rest: members, next: [] };
  };
  return { request } as Pick<HasuraClient, 'request'>;
}

async function unlistedOf(engine: Pick<HasuraClient, 'request'>, listed: string[], tenants?: string[]) {
  const keys = createKeySet();
  for (const id of listed) keys.add(keyOf({ kind: 'user', tenant: 'acme', id }));
  const found: Record<string, unknown[]> = {};
  for await (const { kind, unlisted } of findUnlisted(engine, {
    provider: 'clerk',
    tenants,
    keys,
    startedAt: BEGAN,
  })) {
    found[kind] = unlisted.map(({ key }) => ('id' in key ? key.id : key.kind === 'membership' && key.userId));
  }
  return found;
}

test('a row is gone that is older than the listing; one of its very instant may have come after', async () => {
  const engine = tables([
    { id: 'older', tenant: 'acme', clock: -1 },
    { id: 'at-once', tenant: 'acme', clock: 0 },
    { id: 'newer', tenant: 'acme', clock: 1 },
    { id: 'listed', tenant: 'acme', clock: -1 },
  ]);
  expect(await unlistedOf(engine, ['listed'])).toMatchObject({
    user: ['older'],
    membership: expect.arrayContaining(['older', 'listed']),
  });
  expect((await unlistedOf(engine, ['listed'])).membership).not.toContain('at-once');
});

test('where the tenant is not known on one side, any will do; one that is nobody’s is left alone', async () => {
  const engine = tables([
    { id: 'a', tenant: '', clock: -1 },
    { id: 'b', tenant: '', clock: -1 },
    { id: 'c', tenant: 'other', clock: -1 },
    { id: 'd', tenant: '?', clock: -1 },
  ]);
  // `a` and `c` are listed of acme: that is the a of no known tenant, and not the c of another.
  expect((await unlistedOf(engine, ['a', 'c'], ['acme', 'other'])).user).toEqual(['b', 'c']);
});
