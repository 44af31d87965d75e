import { z } from 'zod';
import type { UnreadableItem } from '#providers/provider.ts';

/** What is used of Casdoor's JSON. Fields that are not needed to tell one thing from another may be odd. */

const text = z.string().catch('');
const flag = z.boolean().catch(false);
const texts = listOf(z.string());
const id = z.string().min(1).max(255);

export const ROLE = z.object({
  owner: id,
  name: id,
  users: texts,
  groups: texts,
  roles: texts,
  isEnabled: flag,
});
export type CasdoorRole = z.infer<typeof ROLE>;

export const USER = z.object({
  id,
  owner: id,
  name: id,
  createdTime: text,
  lastSigninTime: text,
  displayName: text,
  firstName: text,
  lastName: text,
  avatar: text,
  email: text,
  emailVerified: flag,
  phone: text,
  groups: texts,
  /** Lists of users do not fill it. */
  roles: listOf(ROLE),
  properties: z.record(z.string(), z.unknown()).catch({}),
  isAdmin: flag,
  isForbidden: flag,
  isDeleted: flag,
});
export type CasdoorUser = z.infer<typeof USER>;

const ACCOUNT_ITEM = z.object({ name: id, visible: flag, viewRule: text, modifyRule: text });

export const ORGANIZATION = z.object({
  name: id,
  createdTime: text,
  displayName: text,
  logo: text,
  /** Who may see and change which field of a user. */
  accountItems: listOf(ACCOUNT_ITEM),
});
export type CasdoorOrganization = z.infer<typeof ORGANIZATION>;

export const GROUP = z.object({ owner: id, name: id, createdTime: text, displayName: text, users: texts });
export type CasdoorGroup = z.infer<typeof GROUP>;

/** A list without those of its items that have another shape; empty where there is none. */
function listOf<T>(schema: z.ZodType<T>) {
  return z
    .array(z.unknown())
    .catch([])
    .transform((items) => items.flatMap((item) => schema.safeParse(item).data ?? []));
}

/** What kinds of things Casdoor lists. */
export type Kind = 'user' | 'organization' | 'group' | 'role';

export interface Items<T> {
  readonly items: readonly T[];
  /** Those that cannot be read, none of which keeps the others from being read. */
  readonly unreadable: readonly UnreadableItem[];
}

/** Reads a list, each item by itself. */
export function readItems<T>(schema: z.ZodType<T>, kind: Kind, list: readonly unknown[]): Items<T> {
  const items: T[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const item of list) {
    const parsed = schema.safeParse(item);
    if (parsed.success) items.push(parsed.data);
    else unreadable.push(unreadableItem(kind, item, parsed.error));
  }
  return { items, unreadable };
}

const NAMED = z.object({ owner: text, name: text }).catch({ owner: '', name: '' });

/** Names what cannot be read, and says why; nothing of it is told but whose it is and what it is called. */
export function unreadableItem(kind: Kind, item: unknown, error: z.ZodError): UnreadableItem {
  const { owner, name } = NAMED.parse(item);
  const fullName = kind === 'organization' || owner === '' ? name : `${owner}/${name}`;
  const field = error.issues[0]?.path[0];
  return {
    name: name === '' ? `${kind} without a name` : `${kind} ${fullName.slice(0, 255)}`,
    reason: reasonFor(kind, field),
  };
}

function reasonFor(kind: Kind, field: PropertyKey | undefined): string {
  if (field === undefined) return 'it is no object';
  if (kind === 'user' && field === 'id') {
    return 'it has no id of 1 to 255 characters: a syncer whose columns map no Id makes such users (docs/casdoor.md, Ids)';
  }
  return `its ${String(field)} is not a text of 1 to 255 characters`;
}
