import { COGNITO_HINT, type CognitoHint } from '../../core/cognito-hint.ts';
import type { CognitoConfig } from '../../core/config.ts';
import type { Delivery, Reading } from '../../core/deliveries.ts';
import { parsePayload, storable } from '../../core/payload.ts';
import {
  deletedOrganization,
  deletedUser,
  type IdentityRecord,
  type Instant,
  type MembershipRecord,
  type OrganizationRecord,
  type UserRecord,
} from '../../core/records.ts';
import type { CognitoApi, PoolGroup, PoolUser } from './api.ts';

/** Longer ones are no addresses (RFC 5321), and no index could hold them. */
const LONGEST_ADDRESS = 320;

type PoolConfig = Pick<CognitoConfig, 'userPoolId' | 'metadataAttributes'>;

/**
 * A user of a pool. `roles` are the names of their groups, which is what Cognito has for roles.
 *
 * @param clock the instant the reading began, for Cognito tells of no clock that covers groups too
 */
export function userRecord(
  { username, attributes, createdAt }: PoolUser,
  {
    groups,
    clock,
    metadataAttributes,
  }: { groups: readonly string[]; clock: Instant } & Pick<PoolConfig, 'metadataAttributes'>,
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
    id: sub,
    clock,
    deleted: false,
    sourceCreatedAt: created,
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

/** That a user is in a group, or (`deleted`) is not in it any more. In a group all are alike. */
export function membershipRecord(
  userPoolId: string,
  { group, sub, clock, deleted = false }: { group: string; sub: string; clock: Instant; deleted?: boolean },
): MembershipRecord {
  return {
    kind: 'membership',
    provider: 'cognito',
    organizationId: organizationId(userPoolId, group),
    userId: sub,
    clock,
    deleted,
    sourceCreatedAt: null,
    role: null,
  };
}

function organizationId(userPoolId: string, group: string): string {
  return storable(`${userPoolId}/${group}`);
}

/**
 * Makes the function that reads what the Lambda functions forward. A delivery says only of whom it
 * is; what holds of them now is asked of Cognito.
 */
export function cognitoRecords(
  config: PoolConfig,
  api: CognitoApi,
  now: () => Instant = Date.now,
): (delivery: Delivery) => Promise<Reading> {
  const { userPoolId } = config;

  async function readUser(sub: string, { type, timestamp, data }: CognitoHint): Promise<IdentityRecord[]> {
    const clock = now();
    const user = await api.findUser({ sub, userName: data.userName });
    if (user === undefined) return [deletedUser('cognito', sub, clock)];
    const groups = await api.groupsOf(user);
    const names = groups.map(({ name }) => name);
    const record = userRecord(user, { groups: names, clock, metadataAttributes: config.metadataAttributes });
    if (record === undefined) return [deletedUser('cognito', sub, clock)];
    const seen = type.startsWith('PostAuthentication_') ? Math.min(Date.parse(timestamp), clock) : 0;
    return [
      { ...record, lastSeen: Math.max(record.lastSeen, seen) },
      ...groups.map((group) => organizationRecord(userPoolId, group, clock)),
      ...names.map((group) => membershipRecord(userPoolId, { group, sub, clock })),
      // Only the call that ended a membership names its group; the list of groups cannot.
      ...(data.groupName === undefined || names.includes(data.groupName)
        ? []
        : [membershipRecord(userPoolId, { group: data.groupName, sub, clock, deleted: true })]),
    ];
  }

  async function readGroup(name: string): Promise<IdentityRecord[]> {
    const clock = now();
    const group = await api.findGroup(name);
    return [
      group === undefined
        ? deletedOrganization('cognito', organizationId(userPoolId, name), clock)
        : organizationRecord(userPoolId, group, clock),
    ];
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
    const kept = {
      userPoolId,
      ...(sub !== undefined && { sub }),
      ...(groupName !== undefined && { groupName }),
    };
    return {
      kind: 'records',
      type,
      subject: sub ?? organizationId(userPoolId, groupName ?? ''),
      payload: { type, timestamp, data: kept },
      records: sub !== undefined ? await readUser(sub, hint.data) : await readGroup(groupName ?? ''),
    };
  };
}
