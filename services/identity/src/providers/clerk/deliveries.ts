import { z } from 'zod';
import type { Delivery, ParsedDelivery } from '#core/deliveries.ts';
import { toInstant } from '#core/instants.ts';
import { isJsonObject, parsePayload, storable } from '#core/payload.ts';
import { RawJson } from '#core/raw-json.ts';
import {
  deletedOrganization,
  deletedUser,
  EPOCH,
  type IdentityRecord,
  type Instant,
  type Json,
  type JsonObject,
  type OrganizationRecord,
  stubUser,
  type UserRecord,
} from '#core/records.ts';
import { mayHoldPrivateMetadata, removePrivateMetadata } from './private-metadata.ts';
import {
  describeProblem,
  id,
  isOrganization,
  membershipRecord,
  organizationRecord,
  type Source,
  time,
  userRecord,
} from './records.ts';
import type { ClerkConfig } from './settings.ts';

/** The events that say something of users, organizations and memberships, by the first part of their names. */
const FAMILIES = ['user', 'session', 'organization', 'organizationMembership'];
/** What those are about, as Clerk names it in the data. */
const OBJECTS = ['user', 'session', 'organization', 'organization_membership'];

const TYPE = z.object({ type: z.string().min(1).max(255) });
const EVENT = TYPE.extend({
  data: z.custom<JsonObject>(isJsonObject),
  timestamp: z.unknown().optional(),
  instance_id: z.string().max(255).catch(''),
});
const SESSION = z.object({
  user_id: id,
  created_at: time,
  last_active_at: time,
  /** Who acts in the user's place, if somebody does. */
  actor: z.unknown().optional(),
  user: z.unknown().optional(),
});
const DELETED = z.object({ id });

/** What a delivery's records are made with. */
interface Context {
  readonly tenant: string;
  /** When the event happened. Where the event itself does not say, when its delivery was made. */
  readonly happenedAt: Instant;
}

/**
 * Makes the function that says what one of Clerk's deliveries tells, and under whose id the ledger files it.
 *
 * @param config.instanceId whose deliveries are taken; any if empty
 */
export function clerkDeliveries({
  instanceId,
}: Pick<ClerkConfig, 'instanceId'>): (delivery: Delivery) => Promise<ParsedDelivery> {
  return async (delivery) => readDelivery(delivery, instanceId);
}

function readDelivery({ body, receivedAt, sentAt }: Delivery, instanceId: string): ParsedDelivery {
  const payload = parsePayload(body);
  // Its text may hold anything, private metadata and one-time passwords among it.
  if (!payload.ok) {
    const reason = 'The body is not JSON, or nested too deeply; nothing of it is kept.';
    return malformed('unknown', null, null, reason);
  }
  const { value } = payload;
  const isClean = payload.isAsSent && !mayHoldPrivateMetadata(body);
  if (!isClean) removePrivateMetadata(value);
  const named = TYPE.safeParse(value);
  if (named.success && !isOfInterest(named.data.type)) {
    const data = isJsonObject(value) && isJsonObject(value.data) ? value.data : {};
    return { kind: 'ignored', type: named.data.type, subject: subjectOf(data) };
  }
  const event = EVENT.safeParse(value);
  if (!event.success) {
    return malformed('unknown', null, keptOf(value), describeProblem(event.error, 'the body'));
  }

  const { type, data, timestamp, instance_id: told } = event.data;
  const subject = subjectOf(data);
  if (instanceId !== '' && told !== '' && told !== instanceId) {
    const reason = `It is of the instance ${storable(told)}, and CLERK_INSTANCE_ID is ${instanceId}: take the endpoint out there, or correct that.`;
    return malformed(type, subject, value, reason);
  }
  const tenant = instanceId === '' ? storable(told) : instanceId;
  // Where a time is given in seconds the end of that second counts, or an update earlier within it would
  // outlive a deletion. A replay has no sender's time any more.
  const happenedAt = toInstant(timestamp, 'end') ?? sentAt ?? receivedAt;
  try {
    const records = recordsOf(type, data, { tenant, happenedAt });
    return { kind: 'records', type, subject, tenant, payload: isClean ? new RawJson(body) : value, records };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    return malformed(type, subject, value, describeProblem(error, 'the data'), tenant);
  }
}

function isOfInterest(type: string): boolean {
  return FAMILIES.includes(type.split('.', 1)[0] ?? '');
}

/**
 * What is kept of a body that does not say what it is: all of it, if it looks like one of those that are
 * kept. Any other may be an e-mail or a text message with a one-time password in it.
 */
function keptOf(value: Json): Json {
  const data = isJsonObject(value) ? value.data : undefined;
  const object = isJsonObject(data) ? data.object : undefined;
  return typeof object === 'string' && OBJECTS.includes(object) ? value : null;
}

function recordsOf(type: string, data: JsonObject, { tenant, happenedAt }: Context): IdentityRecord[] {
  const source: Source = { tenant, toldAt: happenedAt };
  // Deletions carry no state, and so no clock of their own.
  const gone = () => ({ provider: 'clerk', tenant, id: DELETED.parse(data).id }) as const;
  const [family] = type.split('.', 1);
  const isDeletion = type.endsWith('.deleted');
  switch (family) {
    case 'user':
      return [isDeletion ? deletedUser(gone(), happenedAt) : userRecord(data, source)];
    case 'organization':
      return [isDeletion ? deletedOrganization(gone(), happenedAt) : organizationRecord(data, source)];
    case 'organizationMembership':
      return [
        ...embeddedOrganization(data.organization, source),
        membershipRecord(data, source, isDeletion ? happenedAt : undefined),
      ];
    default:
      return [sighting(type, data, source)];
  }
}

/** The state of the organization that came along, where it is whole enough to be one. */
function embeddedOrganization(json: unknown, source: Source): OrganizationRecord[] {
  return isOrganization(json) ? [organizationRecord(json, source)] : [];
}

/**
 * A session says when its user was seen. The profile that it embeds may be an older one, so what it says of
 * being banned or locked is of that profile's own clock. But whoever has just been given a session was let
 * in then, and Clerk tells by nothing else that a lock has run out.
 */
function sighting(type: string, data: JsonObject, { tenant, toldAt }: Source): UserRecord {
  const session = SESSION.parse(data);
  const seen = session.last_active_at ?? EPOCH;
  if (!isJsonObject(session.user)) {
    return stubUser({ provider: 'clerk', tenant, id: session.user_id }, seen);
  }
  const user = userRecord(session.user, { tenant, toldAt });
  if (user.id !== session.user_id) throw wrongField(['user', 'id']);
  const isLetIn = type === 'session.created' && (session.actor ?? null) === null && user.disabledAt === null;
  const checkedAt = Math.min(toldAt, isLetIn ? (session.created_at ?? toldAt) : user.clock);
  const { disabledAt, disabledCheckedAt } = user;
  return {
    ...user,
    lastSeen: Math.max(user.lastSeen, seen),
    disabledAt: disabledAt && checkedAt,
    disabledCheckedAt: disabledCheckedAt && checkedAt,
  };
}

function wrongField(path: string[]): z.ZodError {
  return new z.ZodError([{ code: 'custom', path, message: 'is not what it has to be', input: undefined }]);
}

/** Memberships and sessions are filed under their user, so that erasing a user finds them. */
function subjectOf(data: JsonObject): string | null {
  const member = isJsonObject(data.public_user_data) ? data.public_user_data.user_id : undefined;
  const found = id.safeParse(member ?? data.user_id ?? data.id);
  return found.success ? found.data : null;
}

function malformed(
  type: string,
  subject: string | null,
  payload: Json,
  reason: string,
  tenant = '',
): ParsedDelivery {
  return { kind: 'malformed', type, subject, tenant, payload, reason };
}
