import { COGNITO_HINT } from '../../core/cognito-hint.ts';
import type { CognitoConfig } from '../../core/config.ts';
import type { Delivery, Reading } from '../../core/deliveries.ts';
import { parsePayload, storable } from '../../core/payload.ts';
import {
  deletedOrganization,
  deletedUser,
  EPOCH,
  type IdentityRecord,
  type Instant,
  type MembershipRecord,
  type OrganizationRecord,
  type UserRecord,
} from '../../core/records.ts';
import type { StoredState } from '../provider.ts';
import { createRecentAbsences } from '../recent-absences.ts';
import type { CognitoApi, PoolGroup, PoolUser } from './api.ts';
import { SEARCH_LAG_MS } from './pool.ts';

/** Longer ones are no addresses (RFC 5321), and no index could hold them. */
const LONGEST_ADDRESS = 320;

/**
 * How many users are read again when their group is deleted. More would take longer than the sender
 * waits, and more than Cognito's quota; a reconcile, begun at once, reads the rest.
 */
const MOST_READ_AT_ONCE = 25;

/** What these calls change is no part of the profile: the groups, which are read anyway. */
const LEAVE_THE_PROFILE = new Set(['AdminAddUserToGroup', 'AdminRemoveUserFromGroup']);

/** What there is to say of a group; `isPartial`: there is more than this. */
type Found = Pick<Extract<Reading, { kind: 'records' }>, 'records' | 'isPartial'>;

export type PoolConfig = Pick<CognitoConfig, 'userPoolId' | 'metadataAttributes'>;

/**
 * A user of a pool. `roles` are the names of their groups, which is what Cognito has for roles.
 *
 * @param clock the instant the reading began, for Cognito tells of no clock that covers groups too
 */
export function userRecord(
  { username, attributes, createdAt, enabled }: PoolUser,
  {
    groups,
    clock,
    userPoolId,
    metadataAttributes,
  }: { groups: readonly string[]; clock: Instant } & PoolConfig,
): UserRecord | undefined {
  const { sub } = attributes;
  if (sub === undefined) return undefined;
  const text = (name: string): string | null => {
    const value = attributes[name];
    return value === undefined || value === '' ? null : storable(value);
  };
  const address = (name: string): string | null => {
    const value = text(name);
    return value !== null && value.length <= LONGEST_ADDRESS ? value : null;
  };
  const [email, firstName, lastName] = [address('email'), text('given_name'), text('family_name')];
  const created = createdAt?.getTime() ?? null;
  const metadata = metadataAttributes.flatMap((name) => {
    const value = text(name);
    return value === null ? [] : [[name, value] as const];
  });
  return {
    kind: 'user',
    provider: 'cognito',
    tenant: userPoolId,
    id: sub,
    clock,
    deleted: false,
    sourceCreatedAt: created,
    disabledAt: enabled === false ? clock : null,
    disabledCheckedAt: enabled === undefined ? EPOCH : clock,
    lastSeen: created ?? clock,
    email,
    emailVerified: email !== null && attributes.email_verified === 'true',
    phone: address('phone_number'),
    // Where people sign in with an address, Cognito makes the user name up: it is the sub.
    username: text('preferred_username') ?? (username === sub ? null : storable(username)),
    name: text('name') ?? ([firstName, lastName].filter(Boolean).join(' ') || null),
    firstName,
    lastName,
    imageUrl: text('picture'),
    roles: groups.map(storable).toSorted(),
    metadata: Object.fromEntries(metadata),
  };
}

/** A group of a pool. Its name is unique in its pool only, so its id holds the pool's too. */
export function organizationRecord(
  userPoolId: string,
  { name, createdAt }: PoolGroup,
  clock: Instant,
): OrganizationRecord {
  return {
    kind: 'organization',
    provider: 'cognito',
    tenant: userPoolId,
    id: organizationId(userPoolId, name),
    clock,
    deleted: false,
    sourceCreatedAt: createdAt?.getTime() ?? null,
    name: storable(name),
    slug: null,
    imageUrl: null,
    metadata: {},
  };
}

/** That a user is in a group, or (`ended`) is not in it any more. In a group all are alike. */
export function membershipRecord(
  userPoolId: string,
  { organization, sub }: { readonly organization: string; readonly sub: string },
  clock: Instant,
  ended = false,
): MembershipRecord {
  return {
    kind: 'membership',
    provider: 'cognito',
    tenant: userPoolId,
    organizationId: organization,
    userId: sub,
    clock,
    deleted: ended,
    sourceCreatedAt: null,
    role: ended ? null : 'org:member',
  };
}

export function organizationId(userPoolId: string, group: string): string {
  return storable(`${userPoolId}/${group}`);
}

/**
 * Makes the function that reads what the Lambda functions forward. A delivery says only of whom it
 * is; what holds of them now is asked of Cognito.
 */
export function cognitoRecords(
  config: PoolConfig,
  api: CognitoApi,
  stored: StoredState,
  now: () => Instant = Date.now,
): (delivery: Delivery) => Promise<Reading> {
  const { userPoolId } = config;
  const absences = createRecentAbsences();

  /**
   * Whether the user's row is of the time that the search may not show yet. What it shows would be
   * written over what is newer, for the record's clock is this reading's.
   */
  async function isFresh(sub: string, clock: Instant): Promise<boolean> {
    const owner = await stored.ownerOf(sub);
    return owner !== undefined && clock - owner.clock < SEARCH_LAG_MS;
  }

  async function readUser(
    sub: string,
    hint: {
      exact: boolean;
      userName?: string | undefined;
      groupName?: string | undefined;
      seen?: Instant;
    },
  ): Promise<IdentityRecord[]> {
    const clock = now();
    const user = await api.findUser({ sub, userName: hint.userName, exact: hint.exact });
    const groups = user && (await api.groupsOf(user));
    // Asked only now, for another delivery may have been written meanwhile.
    if (user?.mayLag === true && (await isFresh(sub, clock))) return readUser(sub, { ...hint, exact: true });
    const names = groups?.map(({ name }) => name) ?? [];
    const record = user && groups && userRecord(user, { ...config, groups: names, clock });
    if (groups === undefined || record === undefined) {
      absences.note(sub, clock);
      return [
        deletedUser({ provider: 'cognito', tenant: userPoolId, id: sub }, clock, { onlyIfStored: true }),
      ];
    }
    const before = await stored.organizationsOf({ provider: 'cognito', id: sub }, [userPoolId]);
    if (absences.hasSince(sub, clock)) return readUser(sub, { ...hint, exact: true });
    const ended = new Set(before.map(({ id }) => id));
    // The call that ends a membership names its group, even if the membership is only just being stored.
    if (hint.groupName !== undefined) ended.add(organizationId(userPoolId, hint.groupName));
    for (const name of names) ended.delete(organizationId(userPoolId, name));
    return [
      { ...record, lastSeen: Math.max(record.lastSeen, Math.min(hint.seen ?? 0, clock)) },
      ...groups.map((group) => organizationRecord(userPoolId, group, clock)),
      ...names.map((name) =>
        membershipRecord(userPoolId, { organization: organizationId(userPoolId, name), sub }, clock),
      ),
      ...[...ended].map((organization) => membershipRecord(userPoolId, { organization, sub }, clock, true)),
    ];
  }

  async function readGroup(name: string): Promise<Found> {
    const clock = now();
    const group = await api.findGroup(name);
    if (group !== undefined) return { records: [organizationRecord(userPoolId, group, clock)] };
    // Cognito tells of each change of a membership, but not of those that end with their group.
    const owner = { provider: 'cognito', tenant: userPoolId } as const;
    const members = await stored.usersWithRole(owner, name, MOST_READ_AT_ONCE + 1);
    const records: IdentityRecord[] = [
      deletedOrganization({ ...owner, id: organizationId(userPoolId, name) }, clock, { onlyIfStored: true }),
    ];
    for (const sub of members.slice(0, MOST_READ_AT_ONCE)) {
      records.push(...(await readUser(sub, { exact: false })));
    }
    return { records, isPartial: members.length > MOST_READ_AT_ONCE };
  }

  return async ({ body }) => {
    const payload = parsePayload(body);
    const hint = payload.ok ? COGNITO_HINT.safeParse(payload.value) : undefined;
    if (hint?.data === undefined) {
      // The text is not kept: it may name somebody, and the functions of this version never send such.
      const fields = hint?.error?.issues.map((issue) => issue.path.join('.') || 'the body') ?? ['the body'];
      const reason = `Missing or of the wrong kind: ${[...new Set(fields)].join(', ')}. Deploy the Lambda functions and the service from the same version.`;
      return { kind: 'malformed', type: 'unknown', subject: null, payload: null, reason };
    }

    const { type, timestamp, data } = hint.data;
    const { sub, groupName } = data;
    if (data.userPoolId !== undefined && data.userPoolId !== userPoolId) {
      return { kind: 'ignored', type, subject: null };
    }
    if (sub === undefined && groupName === undefined) {
      return { kind: 'ignored', type, subject: null };
    }
    const seen = type.startsWith('PostAuthentication_') ? Date.parse(timestamp) : 0;
    const kept = {
      userPoolId,
      ...(sub !== undefined && { sub }),
      ...(groupName !== undefined && { groupName }),
    };
    return {
      kind: 'records',
      type,
      subject: sub ?? organizationId(userPoolId, groupName ?? ''),
      tenant: userPoolId,
      payload: { type, timestamp, data: kept },
      ...(sub !== undefined
        ? { records: await readUser(sub, { ...data, seen, exact: !LEAVE_THE_PROFILE.has(type) }) }
        : await readGroup(groupName ?? '')),
    };
  };
}
