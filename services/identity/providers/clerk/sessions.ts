import { z } from 'zod';
import { LatchkeyError } from '../../core/errors.ts';
import type { Json } from '../../core/records.ts';
import { type ClerkApi, orNothing, readList, waitingTime } from './api.ts';
import { UnexpectedAnswer } from './request.ts';

const SESSION = z.object({ id: z.string().min(1), user_id: z.string() });
/** The states from which tokens come; a pending session waits for its user to choose an organization or so. */
const LIVE = ['active', 'pending'];
/** Clerk's own limit. */
const PAGE = '500';
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

  async function list(status: string): Promise<string[]> {
    const query = { user_id: userId, status, paginated: 'true', limit: PAGE };
    const read = (answer: Json) =>
      readList(answer).map((item) => {
        const session = SESSION.parse(item);
        if (session.user_id !== userId) throw new UnexpectedAnswer('a session of another user');
        return session.id;
      });
    return (await orNothing(api.once({ path: ['sessions'], query }, read, signal))) ?? [];
  }
  const revoke = (session: string) =>
    api.once({ method: 'POST', path: ['sessions', session, 'revoke'] }, () => true, signal);

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
