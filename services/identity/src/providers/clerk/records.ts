import { z } from 'zod';
import { toInstant } from '#core/instants.ts';
import { isJsonObject } from '#core/payload.ts';
import {
  EPOCH,
  type Instant,
  type JsonObject,
  type MembershipRecord,
  type OrganizationRecord,
  type UserRecord,
} from '#core/records.ts';

// Clerk's own typings require fields that its deliveries leave out, so only what is used is asked
// for, and only ids and clocks are insisted on.
/** An id of Clerk's; the ledger's and the tables' indexes hold none that is longer. */
export const id = z.string().min(1).max(255);
const text = z.string().nullable().catch(null);
const clock = z
  .unknown()
  .optional()
  .transform((value, context) => {
    const instant = toInstant(value);
    if (instant === undefined) context.addIssue('is not a time');
    return instant ?? z.NEVER;
  });
/** A time, or null for what is none. */
export const time = z
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
/** An odd one never hides the others. */
const addresses = z
  .array(z.unknown())
  .catch([])
  .transform((all) => all.flatMap((one) => address.safeParse(one).data ?? []));

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

/** Where a state comes from. */
export interface Source {
  /** The instance; empty where it is not known. */
  readonly tenant: string;
  /**
   * Of which instant it is told whether somebody is banned or locked: their `updated_at` need not move
   * with that. Before it was asked for, or when the event happened.
   */
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
 * What is wrong with what could not be read: names the fields, never their values.
 *
 * @param whole what it is called that was read
 */
export function describeProblem(error: z.ZodError, whole: string): string {
  const fields = error.issues.map((issue) => (issue.path.length === 0 ? whole : issue.path.join('.')));
  return `Missing or of the wrong kind: ${[...new Set(fields)].join(', ')}.`;
}

/** Whether it is an organization's state, and not only its id. */
export function isOrganization(json: unknown): boolean {
  return ORGANIZATION.safeParse(json).success;
}
