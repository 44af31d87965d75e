import type { Delivery, ParsedDelivery } from '#core/deliveries.ts';
import { isJsonObject, parsePayload } from '#core/payload.ts';
import type { IdentityRecord, Instant } from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import type { CasdoorApi } from './api.ts';
import { type CasdoorRecord, type EverybodyHint, type Hint, readHint, readRecord } from './hint.ts';
import { isKept, type Kept, organizationOf } from './lookup.ts';
import { casdoorPlaceReader, casdoorThingReader, type Found } from './read-things.ts';
import { casdoorUserReader, SharedIdError } from './read-users.ts';

/**
 * Makes the function that reads Casdoor's deliveries. A delivery only says where to look: what holds
 * is asked of Casdoor's API, and its clock is the instant at which that began.
 */
export function casdoorDeliveries(
  config: Kept,
  api: CasdoorApi,
  stored: StoredState,
  now: () => Instant = Date.now,
): (delivery: Delivery) => Promise<ParsedDelivery> {
  const readPlace = casdoorPlaceReader(api, now);
  const readUsers = casdoorUserReader({ config, api, stored, now, readJoined: readPlace });
  const readThing = casdoorThingReader({ config, api, stored, readPlace, readUsers });

  /** @returns undefined where nothing of it is kept in step */
  async function read(hint: Hint): Promise<Found | undefined> {
    if (hint.kind === 'everybody') return isOurs(hint) ? { records: [], isPartial: true } : undefined;
    const names = hint.kind === 'user' ? [...hint.names, ...(hint.owners ?? [])] : hint.names;
    if (names.length > 0 && !names.some((name) => isKept(config, organizationOf(name)))) return undefined;
    return hint.kind === 'user' ? readUsers(hint) : readThing(hint);
  }

  /** Administrators of all organizations are of built-in, and what they change may be anybody's. */
  function isOurs({ organization }: EverybodyHint): boolean {
    return ['', 'built-in'].includes(organization) || isKept(config, organization);
  }

  return async ({ body }) => {
    const record = readRecord(body);
    if (record === undefined) {
      // Nothing is kept of it: it may hold a password in plain text.
      return { kind: 'malformed', type: 'unknown', subject: null, payload: null, reason: whatElse(body) };
    }
    const type = record.action;
    const ignored = (reason: string): ParsedDelivery => ({ kind: 'ignored', type, subject: null, reason });
    const hint = readHint(record);
    if (hint.kind === 'nobody') return ignored(hint.reason);
    try {
      const found = await read(hint);
      if (found === undefined) return ignored('Its organization is not one of CASDOOR_ORGANIZATIONS.');
      const { records, isPartial = false, unreadable } = found;
      const subject = subjectOf(hint, records);
      if (subject === undefined) return ignored(whyNobody(unreadable));
      const payload = keptOf(record, hint, subject);
      const { id, tenant } = subject;
      return { kind: 'records', type, subject: id, tenant, payload, records, isPartial };
    } catch (error) {
      if (!(error instanceof SharedIdError)) throw error;
      const { tenant, id, message: reason } = error;
      const payload = keptOf(record, hint, error);
      return { kind: 'malformed', type, subject: id, tenant, payload, reason };
    }
  };
}

interface Subject {
  readonly id: string;
  readonly tenant: string;
}

/** What the ledger keeps, of which {@link readHint} makes the same hint again. */
function keptOf({ name, action }: CasdoorRecord, hint: Hint, { id, tenant }: Subject) {
  return { name, action, target: id, organization: hint.kind === 'user' ? tenant : organizationOf(id) };
}

function subjectOf(hint: Hint, [first]: readonly IdentityRecord[]): Subject | undefined {
  if (hint.kind === 'user') return first?.kind === 'user' ? first : undefined;
  const id = hint.kind === 'everybody' ? hint.organization : hint.names[0];
  return id === undefined ? undefined : { id, tenant: organizationOf(id) };
}

function whyNobody(unreadable: string | undefined): string {
  return unreadable === undefined
    ? 'Casdoor has no user of that name any more, and the record tells no id: a reconcile finds who is gone.'
    : `The user cannot be read: ${unreadable}.`;
}

/** What a body that is no record may be, and the fix. */
function whatElse(body: string): string {
  const parsed = parsePayload(body);
  if (parsed.ok && isJsonObject(parsed.value) && !('action' in parsed.value)) {
    return 'It is no record of Casdoor’s but fields of something else, such as a user: on the webhook’s page, leave Token fields empty and switch Is user extended off.';
  }
  return 'It is no record of Casdoor’s: check the URL and the Content type of its webhook.';
}
