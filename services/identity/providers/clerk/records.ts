import { z } from 'zod';
import type { ClerkConfig } from '../../core/config.ts';
import type { Delivery, Reading } from '../../core/deliveries.ts';
import { toInstant } from '../../core/instants.ts';
import { jsonText } from '../../core/json-text.ts';
import { isJsonObject, parsePayload, storable } from '../../core/payload.ts';
import {
  deletedOrganization,
  deletedUser,
  EPOCH,
  type IdentityRecord,
  type Instant,
  type Json,
  type JsonObject,
  type MembershipRecord,
  type OrganizationRecord,
  stubUser,
  type UserRecord,
} from '../../core/records.ts';

// Clerk's own typings require fields that its deliveries leave out, so only what is used is asked
// for, and only ids and clocks are insisted on.
const id = z.string().min(1).max(255);
const text = z.string().nullable().catch(null);
const clock = z
  .unknown()
  .optional()
  .transform((value, context) => {
    const instant = toInstant(value);
    if (instant === undefined) context.addIssue('is not a time');
    return instant ?? z.NEVER;
  });
const time = z
  .unknown()
  .optional()
  .transform((value) => toInstant(value) ?? null);
const flag = z.boolean().optional().catch(undefined);
const publicMetadata = z.custom<JsonObject>(isJsonObject).catch({});

/** Longer ones are no addresses (RFC 5321), and no index could hold them. */
const LONGEST_ADDRESS = 320;

const address = z.object({
  id: text,
  email_address: z.string().max(LONGEST_ADDRESS).nullable().catch(null),
  phone_number: z.string().max(LONGEST_ADDRESS).nullable().catch(null),
  verification: z.object({ status: text }).nullable().catch(null),
});
const addresses = z.array(address).catch([]);

const USER = z.object({
  id,
  updated_at: clock,
  created_at: time,
  last_active_at: time,
  last_sign_in_at: time,
  primary_email_address_id: text,
  primary_phone_number_id: text,
  email_addresses: addresses,
  phone_numbers: addresses,
  username: text,
  first_name: text,
  last_name: text,
  image_url: text,
  public_metadata: publicMetadata,
  banned: flag,
  locked: flag,
});

const ORGANIZATION = z.object({
  id,
  updated_at: clock,
  created_at: time,
  name: text,
  slug: text,
  image_url: text,
  public_metadata: publicMetadata,
});

const MEMBERSHIP = z.object({
  organization: z.object({ id }),
  public_user_data: z.object({ user_id: id }),
  role: text,
  created_at: time,
  updated_at: clock,
});

const SESSION = z.object({ user_id: id, last_active_at: time, user: z.unknown().optional() });
const DELETED = z.object({ id });
const EVENT = z.object({
  type: z.string().min(1).max(255),
  data: z.custom<JsonObject>(isJsonObject),
  timestamp: z.unknown().optional(),
  instance_id: z.string().max(255).catch(''),
});

/** Where a state comes from. */
export interface Source {
  /** The instance; empty where it is not known. */
  readonly tenant: string;
  /** When Clerk told it. Its `updated_at` need not move when somebody is banned, locked or let in again. */
  readonly toldAt: Instant;
}

/** A user as Clerk's webhooks and its Backend API tell it. */
export function userRecord(json: unknown, { tenant, toldAt }: Source): UserRecord {
  const user = USER.parse(json);
  const email = user.email_addresses.find(
    (one) => one.id !== null && one.id === user.primary_email_address_id,
  );
  const phone = user.phone_numbers.find((one) => one.id !== null && one.id === user.primary_phone_number_id);
  const sightings = [user.last_active_at, user.last_sign_in_at].filter((sighting) => sighting !== null);
  return {
    kind: 'user',
    provider: 'clerk',
    tenant,
    id: user.id,
    clock: user.updated_at,
    deleted: false,
    sourceCreatedAt: user.created_at,
    ...disabledOf(user, toldAt),
    lastSeen: sightings.length > 0 ? Math.max(...sightings) : (user.created_at ?? user.updated_at),
    email: email?.email_address ?? null,
    emailVerified: typeof email?.email_address === 'string' && email.verification?.status === 'verified',
    phone: phone?.phone_number ?? null,
    username: user.username,
    name: [user.first_name, user.last_name].filter(Boolean).join(' ') || null,
    firstName: user.first_name,
    lastName: user.last_name,
    imageUrl: user.image_url,
    roles: [],
    metadata: user.public_metadata,
  };
}

/** Whether Clerk keeps the user out; nothing is known of it where neither flag came along. */
function disabledOf(
  { banned, locked }: { banned?: boolean | undefined; locked?: boolean | undefined },
  toldAt: Instant,
): Pick<UserRecord, 'disabledAt' | 'disabledCheckedAt'> {
  if (banned === undefined && locked === undefined) return { disabledAt: null, disabledCheckedAt: EPOCH };
  return { disabledAt: banned === true || locked === true ? toldAt : null, disabledCheckedAt: toldAt };
}

/** An organization as Clerk's webhooks and its Backend API tell it. */
export function organizationRecord(json: unknown, { tenant }: Pick<Source, 'tenant'>): OrganizationRecord {
  const organization = ORGANIZATION.parse(json);
  return {
    kind: 'organization',
    provider: 'clerk',
    tenant,
    id: organization.id,
    clock: organization.updated_at,
    deleted: false,
    sourceCreatedAt: organization.created_at,
    name: organization.name,
    slug: organization.slug,
    imageUrl: organization.image_url,
    metadata: organization.public_metadata,
  };
}

/** A membership as Clerk's webhooks and its Backend API tell it; `deletedAt` if it has ended. */
export function membershipRecord(
  json: unknown,
  { tenant }: Pick<Source, 'tenant'>,
  deletedAt?: Instant,
): MembershipRecord {
  const membership = MEMBERSHIP.parse(json);
  return {
    kind: 'membership',
    provider: 'clerk',
    tenant,
    organizationId: membership.organization.id,
    userId: membership.public_user_data.user_id,
    clock: deletedAt ?? membership.updated_at,
    deleted: deletedAt !== undefined,
    sourceCreatedAt: membership.created_at,
    role: deletedAt === undefined ? membership.role : null,
  };
}

/**
 * Makes the function that says what one of Clerk's deliveries tells, and under whose id the ledger files it.
 *
 * @param config.instanceId whose deliveries are taken; any if empty
 */
export function clerkRecords({
  instanceId,
}: Pick<ClerkConfig, 'instanceId'>): (delivery: Delivery) => Promise<Reading> {
  return async (delivery) => parseDelivery(delivery, instanceId);
}

function parseDelivery({ body, receivedAt }: Delivery, instanceId: string): Reading {
  const payload = parsePayload(body);
  if (!payload.ok)
    return malformed('unknown', null, payload.value, 'The body is not JSON, or nested too deeply.');
  const event = EVENT.safeParse(payload.value);
  if (!event.success) return malformed('unknown', null, payload.value, describe(event.error));

  const { type, data, instance_id: told } = event.data;
  const subject = subjectOf(data);
  const hadNotes = [data, data.user, data.organization].filter(dropNotes).length > 0;
  if (instanceId !== '' && told !== '' && told !== instanceId) {
    return malformed(
      type,
      subject,
      payload.value,
      `It is of the instance ${storable(told)}, and CLERK_INSTANCE_ID is ${instanceId}: take the endpoint out there, or correct that.`,
    );
  }
  const tenant = instanceId === '' ? storable(told) : instanceId;
  try {
    const records = recordsOf(type, data, { tenant, timestamp: event.data.timestamp, receivedAt });
    if (records === undefined) return { kind: 'ignored', type, subject };
    const kept = payload.isAsSent && !hadNotes ? jsonText(body) : payload.value;
    return { kind: 'records', type, subject, tenant, payload: kept, records };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    return malformed(type, subject, payload.value, describe(error), tenant);
  }
}

/**
 * The server's own notes may hold secrets, and nothing here needs them.
 * @returns whether there were any
 */
function dropNotes(part: unknown): boolean {
  if (!isJsonObject(part)) return false;
  const notes = part.private_metadata ?? {};
  if (isJsonObject(notes) && Object.keys(notes).length === 0) return false;
  delete part.private_metadata;
  return true;
}

/** @returns undefined for events that say nothing of a user, an organization or a membership */
function recordsOf(
  type: string,
  data: JsonObject,
  { tenant, timestamp, receivedAt }: { tenant: string; timestamp: unknown; receivedAt: Instant },
): IdentityRecord[] | undefined {
  const source = { tenant, toldAt: toInstant(timestamp, 'end') ?? receivedAt };
  const gone = () => ({ provider: 'clerk', tenant, id: DELETED.parse(data).id }) as const;
  const [family] = type.split('.', 1);
  const isDeletion = type.endsWith('.deleted');
  switch (family) {
    case 'user':
      return [isDeletion ? deletedUser(gone(), deletionClock(timestamp)) : userRecord(data, source)];
    case 'organization':
      return [
        isDeletion ? deletedOrganization(gone(), deletionClock(timestamp)) : organizationRecord(data, source),
      ];
    case 'organizationMembership':
      return [
        ...embeddedOrganization(data.organization, source),
        membershipRecord(data, source, isDeletion ? deletionClock(timestamp) : undefined),
      ];
    case 'session':
      return [sighting(data, source)];
    default:
      return undefined;
  }
}

/** The state of the organization that came along, where it is whole enough to be one. */
function embeddedOrganization(json: unknown, source: Source): OrganizationRecord[] {
  return ORGANIZATION.safeParse(json).success ? [organizationRecord(json, source)] : [];
}

/** A session says when its user was seen; the profile that it embeds may be an older one. */
function sighting(data: JsonObject, source: Source): UserRecord {
  const session = SESSION.parse(data);
  const seen = session.last_active_at ?? 0;
  if (!isJsonObject(session.user)) {
    return stubUser({ provider: 'clerk', tenant: source.tenant, id: session.user_id }, seen);
  }
  const user = userRecord(session.user, source);
  return { ...user, lastSeen: Math.max(user.lastSeen, seen) };
}

/**
 * Deletions carry no state and so no clock of their own. Where the event's time is given in seconds
 * the end of that second counts, or an update earlier within it would outlive the deletion.
 */
function deletionClock(timestamp: unknown): Instant {
  const instant = toInstant(timestamp, 'end');
  if (instant === undefined)
    throw new z.ZodError([
      { code: 'custom', path: ['timestamp'], message: 'is not a time', input: timestamp },
    ]);
  return instant;
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
): Reading {
  return { kind: 'malformed', type, subject, tenant, payload, reason };
}

/** Names the fields, never their values. */
function describe(error: z.ZodError): string {
  const fields = error.issues.map((issue) => (issue.path.length === 0 ? 'the body' : issue.path.join('.')));
  return `Missing or of the wrong kind: ${[...new Set(fields)].join(', ')}.`;
}
