import { COGNITO_HINT, type CognitoHint } from '@latchkey/core/cognito-hint';
import type { Delivery, ParsedDelivery } from '#core/deliveries.ts';
import { parsePayload } from '#core/payload.ts';
import type { Instant } from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import type { Pool } from './pools.ts';
import { createPoolReader, type PoolReader, type ReadFromPool } from './read-pool.ts';
import { organizationId } from './records.ts';

/** What these calls change is no part of the profile: the groups, which are read anyway. */
const LEAVE_THE_PROFILE = new Set(['AdminAddUserToGroup', 'AdminRemoveUserFromGroup']);
/** Nobody signs in, or is told to have confirmed their sign-up, who has not confirmed it. */
const SHOW_CONFIRMATION = /^(?:PostAuthentication_|PostConfirmation_ConfirmSignUp$)/;

/**
 * Makes the function that reads what the Lambda functions forward. A delivery says only of whom it
 * is; what holds of them now is asked of Cognito.
 */
export function cognitoDeliveries(
  pools: readonly Pool[],
  stored: StoredState,
  now: () => Instant = Date.now,
): (delivery: Delivery) => Promise<ParsedDelivery> {
  const readers = pools.map(({ config, api }) => createPoolReader(config, api, stored, now));

  /**
   * The pools that a delivery may be about. Calls that are made with an access token name none: then it is
   * that of the user's row or, where there is no row of a pool that is kept, any of them.
   */
  async function readersFor({ userPoolId, sub }: CognitoHint['data']): Promise<readonly PoolReader[]> {
    if (userPoolId !== undefined) return readers.filter((reader) => reader.userPoolId === userPoolId);
    if (readers.length === 1 || sub === undefined) return readers;
    const row = await stored.ownerOf(sub);
    const own = readers.filter((reader) => row?.provider === 'cognito' && row.tenant === reader.userPoolId);
    return own.length > 0 ? own : readers;
  }

  return async ({ body }) => {
    const payload = parsePayload(body);
    const hint = payload.ok ? COGNITO_HINT.safeParse(payload.value) : undefined;
    if (hint?.data === undefined) {
      // The text is not kept: it may name somebody, and the functions of this version never send such.
      const fields = hint?.error?.issues.map((issue) => issue.path.join('.') || 'the body') ?? ['the body'];
      const reason = `Missing or of the wrong kind: ${[...new Set(fields)].join(', ')}. Deploy the Lambda functions and the service from the same version.`;
      return { kind: 'malformed', type: 'unknown', subject: null, payload: null, reason };
    }

    const { type, timestamp, data } = hint.data;
    const { sub, groupName, userName } = data;
    const asked = sub === undefined && groupName === undefined ? [] : await readersFor(data);
    if (asked.length === 0) return { kind: 'ignored', type, subject: null };
    const userHint = {
      exact: !LEAVE_THE_PROFILE.has(type),
      isConfirmed: SHOW_CONFIRMATION.test(type),
      userName,
      groupName,
      seen: type.startsWith('PostAuthentication_') ? Date.parse(timestamp) : 0,
    };
    const read = await Promise.all(
      asked.map(async (reader) => ({
        userPoolId: reader.userPoolId,
        ...(sub !== undefined
          ? await reader.readUser(sub, userHint)
          : await reader.readGroup(groupName ?? '')),
      })),
    );
    const [first] = read;
    if (first === undefined) return { kind: 'ignored', type, subject: null };
    // A user is of one pool: of the first that has them, as in a listing. Groups of a name may be in many.
    const told = sub === undefined ? read : [read.find(({ isThere }) => isThere) ?? first];
    const { userPoolId } = told[0] ?? first;
    const kept = {
      userPoolId,
      ...(sub !== undefined && { sub }),
      ...(groupName !== undefined && { groupName }),
    };
    return {
      kind: 'records',
      type,
      subject: sub ?? organizationId(userPoolId, groupName ?? ''),
      tenant: userPoolId,
      payload: { type, timestamp, data: kept },
      ...together(told),
    };
  };
}

function together(read: readonly ReadFromPool[]): Pick<ReadFromPool, 'records' | 'isPartial'> {
  const partial = read.flatMap(({ isPartial }) => isPartial ?? []);
  return {
    records: read.flatMap(({ records }) => records),
    ...(partial.length > 0 && { isPartial: partial.includes(true) }),
  };
}
