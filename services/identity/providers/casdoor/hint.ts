import { z } from 'zod';
import { isJsonObject, parsePayload } from '../../core/payload.ts';
import type { Instant, JsonObject } from '../../core/records.ts';

const text = z.string().catch('');

/** What is used of the record that Casdoor's webhooks carry. `object` may hold passwords in plain text. */
const RECORD = z.object({
  name: z.string().min(1).max(100),
  action: z.string().min(1).max(100),
  organization: text,
  user: text,
  createdTime: text,
  requestUri: text,
  object: text,
  response: text,
  /** Only in what the ledger kept, in place of the fields that tell it. */
  target: z.string().max(255).optional().catch(undefined),
});
export type CasdoorRecord = z.infer<typeof RECORD>;

/** Whom to ask Casdoor about. Names are `<organization>/<name>`. */
export interface UserHint {
  readonly kind: 'user';
  readonly ids: readonly string[];
  readonly names: readonly string[];
  /** The organizations that the ids may be of, beside those of the names. */
  readonly owners?: readonly string[];
  /** When the user was seen, if the action is one of theirs. */
  readonly seen: Instant | undefined;
}

export interface ThingHint {
  readonly kind: 'organization' | 'group' | 'role';
  /** The name before the change and, where it was renamed, the one after it. */
  readonly names: readonly string[];
}

export type Hint = UserHint | ThingHint;

/** @returns undefined for what is no record of Casdoor's */
export function readRecord(body: string): CasdoorRecord | undefined {
  const payload = parsePayload(body);
  return payload.ok ? RECORD.safeParse(payload.value).data : undefined;
}

/** Fired by Casdoor itself after the fact, and so without the response to a request. */
const WITHOUT_RESPONSE = new Set(['new-user-ldap', 'new-user-syncer']);

/**
 * Whom a record is about, or undefined if it changes nothing that is kept in step.
 *
 * Failed and forbidden calls are recorded too, with status 200: only `response` tells them. The
 * record's own organization and user are those who acted; only where people act for themselves are
 * they also the target.
 */
export function readHint(record: CasdoorRecord): Hint | undefined {
  const { action } = record;
  if (record.target !== undefined) return keptHint(action, record.target, record.organization);
  const isDone = record.response.startsWith('{status:"ok"');
  if (!isDone && !(WITHOUT_RESPONSE.has(action) && record.response === '')) return undefined;

  switch (action) {
    case 'signup':
    case 'login':
    case 'reset-email-or-phone':
      return actor(record);
    case 'new-user':
    case 'new-user-ldap':
    case 'new-user-syncer':
    case 'add-user':
    case 'update-user':
    case 'delete-user':
    case 'remove-user-from-group':
      return userTarget(record);
    default:
      return thingTarget(record);
  }
}

/** The hint that the ledger keeps, when it is read again. */
function keptHint(action: string, target: string, organization: string): Hint {
  const kind = /-(organization|group|role)$/.exec(action)?.[1];
  if (kind === 'organization' || kind === 'group' || kind === 'role') return { kind, names: [target] };
  return {
    kind: 'user',
    ids: [target],
    names: [],
    owners: organization === '' ? [] : [organization],
    seen: undefined,
  };
}

function actor({ organization, user, createdTime }: CasdoorRecord): Hint | undefined {
  const name = fullName(organization, user);
  const seen = Date.parse(createdTime);
  if (name === undefined) return undefined;
  return { kind: 'user', ids: [], names: [name], seen: Number.isNaN(seen) ? undefined : seen };
}

function userTarget(record: CasdoorRecord): Hint | undefined {
  const object = fieldsOf(record.object);
  const query = queryOf(record.requestUri);
  const ids = distinct([query.get('userId'), object.id]);
  const names = distinct([query.get('id'), fullName(object.owner, object.name)]);
  return ids.length + names.length === 0 ? undefined : { kind: 'user', ids, names, seen: undefined };
}

function thingTarget(record: CasdoorRecord): Hint | undefined {
  const kind = /^(?:add|update|delete)-(organization|group|role)$/.exec(record.action)?.[1];
  if (kind !== 'organization' && kind !== 'group' && kind !== 'role') return undefined;
  const object = fieldsOf(record.object);
  const names = distinct([queryOf(record.requestUri).get('id'), fullName(object.owner, object.name)]);
  // Every organization's owner is `admin`, so that says nothing.
  const wanted = kind === 'organization' ? names.map((name) => name.slice(name.indexOf('/') + 1)) : names;
  return wanted.length === 0 ? undefined : { kind, names: wanted };
}

/** `object` is the body of the recorded request: JSON, or a form where its page sends one. */
function fieldsOf(object: string): JsonObject {
  const json = parsePayload(object);
  if (json.ok && isJsonObject(json.value)) return json.value;
  const fields: JsonObject = {};
  for (const key of ['owner', 'name']) {
    const value = multipartField(object, key) ?? new URLSearchParams(object).get(key);
    if (value !== null) fields[key] = value;
  }
  return fields;
}

function multipartField(body: string, key: string): string | undefined {
  return new RegExp(`^Content-Disposition: form-data; name="${key}"\\r\\n\\r\\n(.*)\\r\\n--`, 'im').exec(
    body,
  )?.[1];
}

function queryOf(requestUri: string): URLSearchParams {
  return URL.parse(requestUri, 'http://casdoor')?.searchParams ?? new URLSearchParams();
}

function fullName(owner: unknown, name: unknown): string | undefined {
  if (typeof owner !== 'string' || typeof name !== 'string') return undefined;
  return owner === '' || name === '' ? undefined : `${owner}/${name}`;
}

const LONGEST = 255;

function distinct(values: readonly unknown[]): string[] {
  const usable = values.filter(
    (value) => typeof value === 'string' && value !== '' && value.length <= LONGEST,
  );
  return [...new Set(usable.map(String))];
}
