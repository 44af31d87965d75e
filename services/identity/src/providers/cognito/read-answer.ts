import { z } from 'zod';
import type { UnreadableItem } from '#providers/provider.ts';

/** A user as Cognito's API tells it, whichever operation told it. */
export interface PoolUser {
  readonly username: string;
  readonly sub: string;
  /** `sub` is one of them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly createdAt: Date | undefined;
  /** Whether they may sign in; undefined where the operation does not tell. */
  readonly enabled: boolean | undefined;
  /** Whether they have shown that they may sign up as whom they say; an administrator's word counts too. */
  readonly isConfirmed: boolean;
}

export interface PoolGroup {
  readonly name: string;
  readonly createdAt: Date | undefined;
}

/** A list of which some items may be of no use. */
export interface ReadItems<T> {
  readonly items: readonly T[];
  readonly unreadable: readonly UnreadableItem[];
}

/** A UUID, and nothing that could end the quotes of a filter. */
const SUB = /^[0-9A-Za-z-]{1,128}$/;
export const isSub = (text: string): boolean => SUB.test(text);

const date = z.date().optional().catch(undefined);
const NAMED = z.object({ Username: z.string().min(1), UserCreateDate: date });
const ATTRIBUTE = z.object({ Name: z.string(), Value: z.string() });
const USER = z.object({
  ...NAMED.shape,
  Attributes: z.array(z.unknown()).catch([]),
  Enabled: z.boolean().optional().catch(undefined),
  UserStatus: z.string().optional().catch(undefined),
});
const GROUP = z.object({
  GroupName: z.string().min(1),
  UserPoolId: z.string().optional().catch(undefined),
  CreationDate: date,
});

/**
 * Reads a user by themselves.
 *
 * @param value with its attributes as `Attributes`, which AdminGetUser calls otherwise
 */
export function readUser(value: unknown): PoolUser | UnreadableItem {
  const parsed = USER.safeParse(value).data;
  if (parsed === undefined) {
    return { name: 'user without a user name', reason: 'Cognito tells no Username of it' };
  }
  const { Username: username, Attributes, UserCreateDate: createdAt, Enabled: enabled } = parsed;
  const attributes = Object.fromEntries(
    Attributes.flatMap((attribute) => {
      const { data } = ATTRIBUTE.safeParse(attribute);
      return data === undefined ? [] : [[data.Name, data.Value] as const];
    }),
  );
  const { sub } = attributes;
  if (sub === undefined || !isSub(sub)) {
    const reason = sub === undefined ? 'it has no sub' : 'its sub is not one that Cognito gives';
    return { name: nameOf(parsed), reason };
  }
  const isConfirmed = parsed.UserStatus !== 'UNCONFIRMED';
  return { username, sub, attributes, createdAt, enabled, isConfirmed };
}

/** Reads a group of a pool by itself. */
export function readGroup(value: unknown, userPoolId: string): PoolGroup | UnreadableItem {
  const { data } = GROUP.safeParse(value);
  if (data === undefined) return { name: 'group without a name', reason: 'Cognito tells no GroupName of it' };
  const { GroupName: name, UserPoolId = userPoolId, CreationDate: createdAt } = data;
  return UserPoolId === userPoolId
    ? { name, createdAt }
    : { name: `group ${name}`, reason: 'it is said to be of another user pool' };
}

/** Reads each item of a list by itself: one that is odd never stops the others. */
export function readItems<T extends object>(
  values: unknown,
  read: (value: unknown) => T | UnreadableItem,
): ReadItems<T> {
  const items: T[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const value of Array.isArray(values) ? values : []) {
    const one = read(value);
    if (isUnreadable(one)) unreadable.push(one);
    else items.push(one);
  }
  return { items, unreadable };
}

export function isUnreadable(read: object): read is UnreadableItem {
  return 'reason' in read;
}

/** A user name may be somebody's address or number, and then is not told. */
function nameOf({ Username, UserCreateDate }: z.infer<typeof NAMED>): string {
  const isPersonal = Username.includes('@') || /^\+?\d+$/.test(Username);
  if (!isPersonal) return `user ${Username.slice(0, 128)}`;
  return `user created ${UserCreateDate?.toISOString() ?? 'at a time that is not told'}`;
}
