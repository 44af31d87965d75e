import type { DirectoryState } from '@latchkey/local/stand-ins/clerk';
import type { TestDatabase } from '@latchkey/tests/support/postgres';

/** What a client may see: everything live whose parents are live. */
export interface Model {
  users: Record<string, unknown>[];
  organizations: Record<string, unknown>[];
  memberships: Record<string, unknown>[];
}

/** What the tables must hold of this state of the provider, derived without the code under test. */
export function modelOf({ users, organizations, memberships }: DirectoryState): Model {
  return {
    users: users
      .map((user) => ({
        id: user.id,
        email: user.email_addresses[0]?.email_address ?? null,
        email_verified: true,
        first_name: text(user.first_name),
        last_name: text(user.last_name),
        name: text([user.first_name, user.last_name].filter(Boolean).join(' ') || null),
        metadata: json(user.public_metadata),
        last_seen: Math.max(user.last_active_at ?? 0, user.last_sign_in_at ?? 0),
        clock: user.updated_at,
      }))
      .sort(byKey),
    organizations: organizations
      .map(({ id, name, slug, updated_at }) => ({
        id,
        name: text(name),
        slug: text(slug),
        clock: updated_at,
      }))
      .sort(byKey),
    memberships: memberships
      .map(({ organization, public_user_data, role, updated_at }) => ({
        id: `${organization.id} ${public_user_data.user_id}`,
        role,
        clock: updated_at,
      }))
      .sort(byKey),
  };
}

/**
 * The live rows. @param onlyVisible without the memberships whose user or organization is deleted, of
 * whose end a provider need not tell
 */
export async function liveRows({ query }: TestDatabase, onlyVisible: boolean): Promise<Model> {
  const clock = '(extract(epoch from t.source_updated_at) * 1000)::float8 AS clock';
  const users = await query(
    `SELECT id, email, email_verified, first_name, last_name, name, metadata,
            (extract(epoch from last_seen) * 1000)::float8 AS last_seen, ${clock}
       FROM public.users t WHERE deleted_at IS NULL`,
  );
  const organizations = await query(
    `SELECT id, name, slug, ${clock} FROM public.organizations t WHERE deleted_at IS NULL`,
  );
  const memberships = await query(
    `SELECT organization_id || ' ' || user_id AS id, role, ${clock}
       FROM public.organization_memberships t
       JOIN public.users u ON u.id = user_id JOIN public.organizations o ON o.id = organization_id
      WHERE t.deleted_at IS NULL AND NOT ($1 AND (u.deleted_at IS NOT NULL OR o.deleted_at IS NOT NULL))`,
    [onlyVisible],
  );
  return {
    users: users.sort(byKey),
    organizations: organizations.sort(byKey),
    memberships: memberships.sort(byKey),
  };
}

/** Of tombstones those that still hold something of whom they are about. */
export function tellingTombstones({ query }: TestDatabase): Promise<Record<string, unknown>[]> {
  return query(`
    SELECT id FROM public.users
     WHERE deleted_at IS NOT NULL
       AND (email IS NOT NULL OR name IS NOT NULL OR first_name IS NOT NULL OR metadata <> '{}')
    UNION ALL SELECT id FROM public.organizations WHERE deleted_at IS NOT NULL AND name IS NOT NULL`);
}

/** What PostgreSQL cannot hold is replaced. */
function text(value: string | null): string | null {
  return value === null ? null : value.toWellFormed().replaceAll('\0', '\uFFFD');
}

function json(value: unknown): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map(json);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [text(key), json(part)]));
}

function byKey(one: Record<string, unknown>, other: Record<string, unknown>): number {
  return String(one.id) < String(other.id) ? -1 : 1;
}
