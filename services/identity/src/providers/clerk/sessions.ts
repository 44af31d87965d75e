import { LatchkeyError } from '@latchkey/core/errors';
import { z } from 'zod';
import type { Json } from '#core/records.ts';
import { type ClerkApi, orNothing, waitingTime } from './api.ts';
import { pathId } from './client.ts';
import { UnexpectedAnswer } from './request.ts';

/** As Clerk's client makes them; beside sessions it keeps no JSON. */
const SESSIONS = z.object({ data: z.array(z.object({ id: z.string().min(1), userId: z.string() })) });
/** The states from which tokens come; a pending session waits for its user to choose an organization or so. */
const LIVE = ['active', 'pending'] as const;
/** Clerk's own limit. */
const PAGE = 500;
const REVOKED_AT_ONCE = 10;
/** Somebody may sign in meanwhile, or end a session themselves. */
const MOST_ROUNDS = 3;

/**
 * Revokes all sessions of a user, for somebody who is waiting.
 *
 * @throws LatchkeyError `provider-unreachable` where one is left
 */
export async function revokeSessions(api: ClerkApi, userId: string): Promise<void> {
  const signal = waitingTime();

  async function list(status: (typeof LIVE)[number]): Promise<string[]> {
    const query = { userId, status, limit: PAGE };
    const read = (answer: Json) =>
      SESSIONS.parse(answer).data.map((session) => {
        if (session.userId !== userId) throw new UnexpectedAnswer('a session of another user');
        return session.id;
      });
    const asked = api.once(({ sessions }) => sessions.getSessionList(query), read, signal);
    return (await orNothing(asked)) ?? [];
  }
  const revoke = (session: string) =>
    api.once(
      async ({ sessions }) => sessions.revokeSession(pathId(session)),
      () => true,
      signal,
    );

  let failure: unknown;
  for (let round = 0; ; round += 1) {
    const sessions = (await Promise.all(LIVE.map(list))).flat();
    if (sessions.length === 0) return;
    if (round === MOST_ROUNDS) break;
    for (let from = 0; from < sessions.length; from += REVOKED_AT_ONCE) {
      const revoked = await Promise.allSettled(sessions.slice(from, from + REVOKED_AT_ONCE).map(revoke));
      for (const one of revoked) if (one.status === 'rejected') failure = one.reason;
    }
  }
  throw new LatchkeyError(
    'provider-unreachable',
    'Clerk still lists sessions of this user that were revoked: try again.',
    { cause: failure },
  );
}
