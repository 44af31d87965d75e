import type { Delivery, Reading } from '../../core/deliveries.ts';
import { deletedOrganization, type IdentityRecord, type Instant } from '../../core/records.ts';
import type { StoredState } from '../../core/stored-state.ts';
import type { CasdoorApi } from './api.ts';
import {
  type CasdoorRecord,
  type Hint,
  readHint,
  readRecord,
  type ThingHint,
  type UserHint,
} from './hint.ts';
import { isKept, type Kept, organizationOf } from './lookup.ts';
import { casdoorUserReader } from './read-users.ts';
import { groupRecord, organizationRecord } from './records.ts';

/**
 * How many users are read again when a role changes. More would not be done within the 30 seconds that
 * Casdoor waits; a reconcile, begun at once, reads the rest.
 */
export const MOST_READ_AT_ONCE = 50;
const READS_AT_ONCE = 5;

/** What there is to say of a hint; `isPartial`: there is more than this. */
type Found = Pick<Extract<Reading, { kind: 'records' }>, 'records' | 'isPartial'>;

/**
 * Makes the function that reads Casdoor's deliveries. A delivery only says where to look: what holds
 * is asked of Casdoor's API, and its clock is the instant at which that began.
 */
export function casdoorDeliveries(
  config: Kept,
  api: CasdoorApi,
  stored: StoredState,
  now: () => Instant = Date.now,
): (delivery: Delivery) => Promise<Reading> {
  const readJoined = (id: string) => (id.includes('/') ? readGroup(id) : readOrganization(id));
  const readUsers = casdoorUserReader({ config, api, stored, now, readJoined });

  async function readThing({ kind, names }: ThingHint): Promise<Found> {
    const wanted = names.filter((name) => isKept(config, organizationOf(name)));
    const found = await Promise.all(
      wanted.map(async (name): Promise<Found> => {
        if (kind === 'role') return readRole(name);
        const records = await (kind === 'group' ? readGroup(name) : readOrganization(name));
        // Its people are in another one now, or in none.
        return { records, isPartial: records.some(({ deleted }) => deleted) };
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
    return [organization === undefined ? goneAt(name, clock) : organizationRecord(organization, clock)];
  }

  async function readGroup(name: string): Promise<IdentityRecord[]> {
    const clock = now();
    const group = await api.findGroup(name);
    return [group === undefined ? goneAt(name, clock) : groupRecord(group, clock)];
  }

  /** A role is no record of its own: whoever has it is read again, and whoever is stored with it. */
  async function readRole(fullName: string): Promise<Found> {
    const tenant = organizationOf(fullName);
    const name = fullName.slice(tenant.length + 1);
    const before = await stored.usersWithRole({ provider: 'casdoor', tenant }, name, MOST_READ_AT_ONCE + 1);
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
    // That somebody is not there any more is not this role's to tell: they may have moved.
    const present = records.filter((record) => record.kind !== 'user' || !record.deleted);
    const isPartial = hints.length > MOST_READ_AT_ONCE || present.length < records.length;
    return { records: present, isPartial };
  }

  /**
   * The users of a role, of its groups and of the roles that it contains, as far as they are of its own
   * organization: in another one its word does not count.
   * @returns `<organization>/<name>` of each, or only of more than can be read at once
   */
  async function membersOf(fullName: string): Promise<string[]> {
    const own = (names: readonly string[]) =>
      names.filter((name) => organizationOf(name) === organizationOf(fullName));
    const members = new Set<string>();
    const roles = new Set([fullName]);
    for (const name of roles) {
      const role = await api.findRole(name);
      for (const user of own(role?.users ?? [])) members.add(user);
      for (const group of own(role?.groups ?? [])) {
        if (members.size > MOST_READ_AT_ONCE) break;
        for (const user of own((await api.findGroup(group))?.users ?? [])) members.add(user);
      }
      if (members.size > MOST_READ_AT_ONCE) break;
      for (const part of own(role?.roles ?? [])) roles.add(part);
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
    const subject = subjectOf(hint, records);
    if (subject === undefined || (records.length === 0 && hint.kind !== 'role')) {
      return { kind: 'ignored', type, subject: null };
    }
    const { id, tenant } = subject;
    return {
      kind: 'records',
      type,
      subject: id,
      tenant,
      payload: keptOf(record, hint, subject),
      records,
      isPartial,
    };
  };
}

interface Subject {
  readonly id: string;
  readonly tenant: string;
}

function goneAt(id: string, clock: Instant): IdentityRecord {
  const organization = { provider: 'casdoor', tenant: organizationOf(id), id } as const;
  return deletedOrganization(organization, clock, { onlyIfStored: true });
}

/** What the ledger keeps, of which {@link readHint} makes the same hint again. */
function keptOf({ name, action }: CasdoorRecord, hint: Hint, { id, tenant }: Subject) {
  return { name, action, target: id, organization: hint.kind === 'user' ? tenant : organizationOf(id) };
}

function subjectOf(hint: Hint, [first]: readonly IdentityRecord[]): Subject | undefined {
  if (hint.kind === 'user') return first?.kind === 'user' ? first : undefined;
  const [id] = hint.names;
  return id === undefined ? undefined : { id, tenant: organizationOf(id) };
}
