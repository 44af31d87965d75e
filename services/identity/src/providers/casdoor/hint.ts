import { z } from 'zod';
import { isJsonObject, parsePayload } from '#core/payload.ts';
import type { Instant, JsonObject } from '#core/records.ts';

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
  /** Records of before March 2024 have none. */
  response: z.string().optional().catch(undefined),
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

/** Many people of an organization have changed at once, and nothing says who: only a listing tells. */
export interface EverybodyHint {
  readonly kind: 'everybody';
  readonly organization: string;
}

export type Hint = UserHint | ThingHint | EverybodyHint;

/** A record changes nothing that is kept in step. */
export interface NoHint {
  readonly kind: 'nobody';
  /** Why, for the operator; it names nobody. */
  readonly reason: string;
}

const nobody = (reason: string): NoHint => ({ kind: 'nobody', reason });

/** @returns undefined for what is no record of Casdoor's */
export function readRecord(body: string): CasdoorRecord | undefined {
  const payload = parsePayload(body);
  return payload.ok ? RECORD.safeParse(payload.value).data : undefined;
}

/** What changes many at once, and leaves no record for each of them. */
const BULK_ACTIONS = new Set([
  'upload-users',
  'upload-groups',
  'upload-roles',
  'sync-ldap-users',
  'run-syncer',
]);

/** Fired by Casdoor itself after the fact, and so without the response to a request. */
const WITHOUT_RESPONSE = new Set(['new-user-ldap', 'new-user-syncer']);

/**
 * Whom a record is about.
 *
 * Failed and forbidden calls are recorded too, with status 200: only `response` tells them. The
 * record's own organization and user are those who acted; only where people act for themselves are
 * they also the target.
 */
export function readHint(record: CasdoorRecord): Hint | NoHint {
  const { action, response } = record;
  if (record.target !== undefined) return keptHint(action, record.target, record.organization);
  if (response === undefined) {
    return nobody(
      'The record has no response, so nothing says whether the call succeeded: Casdoor tells it since March 2024.',
    );
  }
  const isDone = response.startsWith('{status:"ok"');
  if (!isDone && !(WITHOUT_RESPONSE.has(action) && response === '')) {
    return nobody('The call had failed, or was refused, at Casdoor.');
  }
  if (BULK_ACTIONS.has(action)) return bulkTarget(record);

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
    case 'upload-resource':
      return avatarTarget(record);
    default:
      return thingTarget(record);
  }
}

/** The hint that the ledger keeps, when it is read again. */
function keptHint(action: string, target: string, organization: string): Hint {
  if (BULK_ACTIONS.has(action)) return { kind: 'everybody', organization: target };
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

function actor({ organization, user, createdTime }: CasdoorRecord): Hint | NoHint {
  const [name] = fullNames([fullName(organization, user)]);
  const seen = Date.parse(createdTime);
  // The sign-in of nobody: a guest, or somebody who is not known.
  if (name === undefined) return nobody('The record names nobody.');
  return { kind: 'user', ids: [], names: [name], seen: Number.isNaN(seen) ? undefined : seen };
}

function userTarget(record: CasdoorRecord): Hint | NoHint {
  const object = fieldsOf(record.object);
  const query = queryOf(record.requestUri);
  const ids = distinct([query.get('userId'), object.id]);
  const names = fullNames([query.get('id'), fullName(object.owner, object.name)]);
  return ids.length + names.length === 0
    ? nobody(NAMES_NOTHING)
    : { kind: 'user', ids, names, seen: undefined };
}

/** Whose picture it is, Casdoor is told in the query alone; anything else that is uploaded is no change. */
function avatarTarget({ requestUri }: CasdoorRecord): Hint | NoHint {
  const query = queryOf(requestUri);
  if (query.get('tag') !== 'avatar') return nobody('The uploaded file is nobody’s avatar.');
  const names = fullNames([fullName(query.get('owner'), query.get('user'))]);
  return names.length === 0 ? nobody(NAMES_NOTHING) : { kind: 'user', ids: [], names, seen: undefined };
}

/** A syncer's own organization is not in the record, nor is that of what an administrator of all uploads. */
function bulkTarget({ action, organization, requestUri }: CasdoorRecord): Hint {
  const [ldap] = action === 'sync-ldap-users' ? fullNames([queryOf(requestUri).get('id')]) : [];
  return { kind: 'everybody', organization: ldap?.split('/')[0] ?? organization };
}

function thingTarget(record: CasdoorRecord): Hint | NoHint {
  const kind = /^(?:add|update|delete)-(organization|group|role)$/.exec(record.action)?.[1];
  if (kind !== 'organization' && kind !== 'group' && kind !== 'role') {
    return nobody(
      'Nothing that is kept in step changes by this: its event can be left out of the webhook’s.',
    );
  }
  const object = fieldsOf(record.object);
  const names = fullNames([queryOf(record.requestUri).get('id'), fullName(object.owner, object.name)]);
  if (names.length === 0) return nobody(NAMES_NOTHING);
  // Every organization's owner is `admin`, so that says nothing.
  return { kind, names: kind === 'organization' ? names.map((name) => name.split('/')[1] ?? '') : names };
}

const NAMES_NOTHING =
  'The record does not say what it is about: choose owner, name and id among the webhook’s Object fields.';

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

/** Those that Casdoor can be asked for: `<organization>/<name>`, each of them a name and no path. */
function fullNames(values: readonly unknown[]): string[] {
  return distinct(values).filter((name) => /^[^/]+\/[^/]+$/.test(name));
}

const LONGEST = 255;

function distinct(values: readonly unknown[]): string[] {
  const usable = values.filter(
    (value) => typeof value === 'string' && value !== '' && value.length <= LONGEST,
  );
  return [...new Set(usable.map(String))];
}
