import type { CasdoorConfig } from '../../core/config.ts';
import type { Delivery, Reading } from '../../core/deliveries.ts';
import {
  deletedOrganization,
  deletedUser,
  type IdentityRecord,
  type Instant,
  type MembershipRecord,
  type OrganizationRecord,
  type UserRecord,
} from '../../core/records.ts';
import type { Known } from '../provider.ts';
import {
  type CasdoorApi,
  type CasdoorGroup,
  type CasdoorOrganization,
  type CasdoorUser,
  isRefusal,
} from './api.ts';
import {
  type CasdoorRecord,
  type Hint,
  readHint,
  readRecord,
  type ThingHint,
  type UserHint,
} from './hint.ts';

/** Longer ones are no addresses (RFC 5321), and no index could hold them. */
const LONGEST_ADDRESS = 320;

/**
 * How many users are read again when a role changes. More would not be done within the 30 seconds that
 * Casdoor waits; a reconcile, begun at once, reads the rest.
 */
export const MOST_READ_AT_ONCE = 50;
const READS_AT_ONCE = 5;

/** What there is to say of a hint; `isPartial`: there is more than this. */
type Found = Pick<Extract<Reading, { kind: 'records' }>, 'records' | 'isPartial'>;

/** A user as Casdoor's API tells it. @param roles names, where the user's own list is not filled */
export function userRecord(user: CasdoorUser, clock: Instant, roles = enabledRoles(user)): UserRecord {
  const email = address(user.email);
  const createdAt = time(user.createdTime);
  return {
    kind: 'user',
    provider: 'casdoor',
    id: user.id,
    clock,
    deleted: false,
    sourceCreatedAt: createdAt,
    lastSeen: Math.max(time(user.lastSigninTime) ?? 0, createdAt ?? 0),
    email,
    emailVerified: email !== null && user.emailVerified,
    phone: address(user.phone),
    username: user.name,
    name: user.displayName || null,
    firstName: user.firstName || null,
    lastName: user.lastName || null,
    imageUrl: user.avatar || null,
    roles,
    // What Casdoor calls properties is for administrators, and holds other providers' tokens.
    metadata: {},
  };
}

/** An organization; its id is its name, for it has no other. */
export function organizationRecord(organization: CasdoorOrganization, clock: Instant): OrganizationRecord {
  return {
    kind: 'organization',
    provider: 'casdoor',
    id: organization.name,
    clock,
    deleted: false,
    sourceCreatedAt: time(organization.createdTime),
    name: organization.displayName || organization.name,
    slug: organization.name,
    imageUrl: organization.logo || null,
    metadata: {},
  };
}

/** A group is an organization within an organization: `<organization>/<group>`. */
export function groupRecord(group: CasdoorGroup, clock: Instant): OrganizationRecord {
  return {
    ...organizationRecord({ ...group, logo: '' }, clock),
    id: `${group.owner}/${group.name}`,
    metadata: { organization: group.owner },
  };
}

/** What a user belongs to: the organization that owns them, and their groups. */
export function membershipRecords(user: CasdoorUser, clock: Instant): MembershipRecord[] {
  const groups = [...new Set(user.groups)].filter((group) => group !== user.owner);
  return [
    membership(user, user.owner, clock, user.isAdmin ? 'org:admin' : 'org:member'),
    ...groups.map((group) => membership(user, group, clock, 'org:member')),
  ];
}

function membership(
  user: Pick<CasdoorUser, 'id'>,
  organizationId: string,
  clock: Instant,
  role: string,
): MembershipRecord {
  return {
    kind: 'membership',
    provider: 'casdoor',
    organizationId,
    userId: user.id,
    clock,
    deleted: false,
    sourceCreatedAt: null,
    role,
  };
}

/**
 * Makes the function that reads Casdoor's deliveries. A delivery only says where to look: what holds
 * is asked of Casdoor's API, and its clock is the instant at which that began.
 */
export function casdoorRecords(
  { organizations }: Pick<CasdoorConfig, 'organizations'>,
  api: CasdoorApi,
  known: Known,
  now: () => Instant = Date.now,
): (delivery: Delivery) => Promise<Reading> {
  const isKept = (organization: string) => organizations.length === 0 || organizations.includes(organization);

  /** @returns the records of whoever the hint finds; the first is the user it is about */
  async function readUsers(hint: UserHint): Promise<IdentityRecord[]> {
    const owners = hint.names.map((name) => name.split('/', 1)[0] ?? '');
    if (owners.length > 0 && !owners.some(isKept)) return [];
    const clock = now();
    const found = new Map<string, CasdoorUser>();
    const gone: string[] = [];
    for (const userId of hint.ids) {
      const user = await findUser({ userId }, owners);
      if (user === undefined) gone.push(userId);
      else found.set(user.id, user);
    }
    // By name too, where the ids have not led there: an id is only what the recorded request said.
    for (const name of hint.names) {
      if ([...found.values()].some((user) => `${user.owner}/${user.name}` === name)) continue;
      const user = await findUser({ name }, owners);
      if (user !== undefined) found.set(user.id, user);
    }
    const seen = Math.min(hint.seen ?? 0, clock);
    const states = await Promise.all([...found.values()].map((user) => stateOf(user, clock, seen)));
    return [...states.flat(), ...gone.map((id) => deletedUser('casdoor', id, clock))];
  }

  /** Casdoor keeps the users of a deleted organization, and answers for them with an error. */
  async function findUser(who: Parameters<CasdoorApi['findUser']>[0], owners: readonly string[]) {
    try {
      return await api.findUser(who);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      for (const owner of new Set(owners)) {
        if ((await api.findOrganization(owner)) === undefined) return undefined;
      }
      throw error;
    }
  }

  async function stateOf(user: CasdoorUser, clock: Instant, seen: Instant): Promise<IdentityRecord[]> {
    const before = await known.organizationsOf(user.id);
    if (!isKept(user.owner)) {
      // Never one of ours, unless somebody moved them away.
      return before.length === 0 ? [] : [deletedUser('casdoor', user.id, clock)];
    }
    if (user.isDeleted) return [deletedUser('casdoor', user.id, clock)];
    const record = userRecord(user, clock);
    const memberships = membershipRecords(user, clock);
    const present = new Set(memberships.map(({ organizationId }) => organizationId));
    const ended = before.filter((id) => !present.has(id));
    // What the user is new to may be new here too, and would have no name until it changes.
    const joined = await Promise.all(
      [...present]
        .filter((id) => !before.includes(id))
        .map((id) => (id.includes('/') ? readGroup(id) : readOrganization(id))),
    );
    return [
      { ...record, lastSeen: Math.max(record.lastSeen, seen) },
      ...memberships,
      ...joined.flat(),
      ...ended.map((id) => ({ ...membership(user, id, clock, ''), role: null, deleted: true })),
    ];
  }

  async function readThing({ kind, names }: ThingHint): Promise<Found> {
    const wanted = names.filter((name) => isKept(name.split('/', 1)[0] ?? ''));
    const found = await Promise.all(
      wanted.map(async (name): Promise<Found> => {
        switch (kind) {
          case 'role':
            return readRole(name);
          case 'organization':
            return { records: await readOrganization(name) };
          case 'group': {
            const records = await readGroup(name);
            // Its members are in another one now, or in none.
            return { records, isPartial: records.some(({ deleted }) => deleted) };
          }
        }
      }),
    );
    return {
      records: found.flatMap(({ records }) => records),
      isPartial: found.some(({ isPartial }) => isPartial === true),
    };
  }

  async function readOrganization(name: string): Promise<IdentityRecord[]> {
    const clock = now();
    const organization = await api.findOrganization(name);
    if (organization === undefined) return [deletedOrganization('casdoor', name, clock)];
    return [organizationRecord(organization, clock)];
  }

  async function readGroup(name: string): Promise<IdentityRecord[]> {
    const clock = now();
    const group = await api.findGroup(name);
    return [group === undefined ? deletedOrganization('casdoor', name, clock) : groupRecord(group, clock)];
  }

  /** A role is no record of its own: whoever has it is read again, and whoever is stored with it. */
  async function readRole(fullName: string): Promise<Found> {
    const name = fullName.slice(fullName.indexOf('/') + 1);
    const before = await known.usersWithRole('casdoor', name, MOST_READ_AT_ONCE + 1);
    const members = await membersOf(fullName);
    const hints: UserHint[] = [
      ...before.map((id) => ({ kind: 'user' as const, ids: [id], names: [], seen: undefined })),
      ...members.map((one) => ({ kind: 'user' as const, ids: [], names: [one], seen: undefined })),
    ];
    const records: IdentityRecord[] = [];
    for (let from = 0; from < Math.min(hints.length, MOST_READ_AT_ONCE); from += READS_AT_ONCE) {
      const some = hints.slice(from, Math.min(from + READS_AT_ONCE, MOST_READ_AT_ONCE));
      records.push(...(await Promise.all(some.map(readUsers))).flat());
    }
    return { records, isPartial: hints.length > MOST_READ_AT_ONCE };
  }

  /**
   * The users of a role, of its groups and of the roles that it contains.
   * @returns `<organization>/<name>` of each, or only of more than can be read at once
   */
  async function membersOf(fullName: string): Promise<string[]> {
    const members = new Set<string>();
    const roles = new Set([fullName]);
    for (const name of roles) {
      const role = await api.findRole(name);
      for (const user of role?.users ?? []) members.add(user);
      for (const group of role?.groups ?? []) {
        if (members.size > MOST_READ_AT_ONCE) break;
        for (const user of (await api.findGroup(group))?.users ?? []) members.add(user);
      }
      if (members.size > MOST_READ_AT_ONCE) break;
      for (const part of role?.roles ?? []) roles.add(part);
    }
    return [...members];
  }

  return async ({ body }) => {
    const record = readRecord(body);
    if (record === undefined) {
      return {
        kind: 'malformed',
        type: 'unknown',
        subject: null,
        // Its `object` may hold a password in plain text.
        payload: null,
        reason: 'It is no record of Casdoor’s: check the URL and the Content type of its webhook.',
      };
    }
    const type = record.action;
    const hint = readHint(record);
    if (hint === undefined) return { kind: 'ignored', type, subject: null };
    const found: Found = hint.kind === 'user' ? { records: await readUsers(hint) } : await readThing(hint);
    const { records, isPartial = false } = found;
    const subject = hint.kind === 'user' ? idOfFirst(records) : (hint.names[0] ?? null);
    if (subject === null || (records.length === 0 && hint.kind !== 'role')) {
      return { kind: 'ignored', type, subject: null };
    }
    return { kind: 'records', type, subject, payload: kept(record, hint, subject), records, isPartial };
  };
}

/** What the ledger keeps, of which {@link readHint} makes the same hint again. */
function kept({ name, action }: CasdoorRecord, hint: Hint, target: string) {
  const organization = hint.names[0]?.split('/', 1)[0] ?? null;
  return { name, action, target, organization };
}

function idOfFirst([first]: readonly IdentityRecord[]): string | null {
  return first?.kind === 'user' ? first.id : null;
}

function enabledRoles(user: CasdoorUser): string[] {
  const names = user.roles.flatMap(({ name, isEnabled }) => (isEnabled ? [name] : []));
  return [...new Set(names)].sort();
}

function address(text: string): string | null {
  return text === '' || text.length > LONGEST_ADDRESS ? null : text;
}

/** Casdoor leaves a time that never was empty. */
function time(text: string): Instant | null {
  const instant = Date.parse(text);
  return Number.isNaN(instant) || instant <= 0 ? null : instant;
}
