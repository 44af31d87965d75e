import { found, KeptOutError } from './errors.ts';
import { clerkId } from './ids.ts';
import type { Announce, ClerkSession, ClerkUser } from './types.ts';

/** Who may come in: sessions, bans and locks. Users are named by their ids. */
export type AccessActions = {
  /** Gives the user a session, and notes that they were here now; only the session event tells of it. */
  signIn(id: string): ClerkUser;
  revokeSession(id: string): ClerkSession;
  /** Keeps a user out, and revokes their sessions. As at Clerk, `updated_at` need not move with it. */
  banUser(id: string): ClerkUser;
  unbanUser(id: string): ClerkUser;
  /** Lets a user not sign in for an hour, or for so many seconds. That it has run out no event tells. */
  lockUser(id: string, seconds?: number): ClerkUser;
  unlockUser(id: string): ClerkUser;
};

/** Clerk's default. */
const LOCKED_SECONDS = 3600;
const DAY_MS = 86_400_000;

/** @throws KeptOutError for whoever Clerk gives no session and no token */
export function requireAccess({ banned, locked }: ClerkUser): void {
  if (banned) throw new KeptOutError('user_banned');
  if (locked) throw new KeptOutError('user_locked');
}

/** @param locks when those of the users run out, in milliseconds */
export function createAccess({
  requireUser,
  users,
  sessions,
  locks,
  announce,
  now,
}: {
  requireUser: (id: string) => ClerkUser;
  users: ClerkUser[];
  sessions: ClerkSession[];
  locks: Record<string, number>;
  announce: Announce;
  now: () => number;
}): { actions: AccessActions; unlockInTime(): void } {
  const copy = <T>(value: T): T => structuredClone(value);
  const unlockInTime = (): void => {
    for (const user of users) {
      const milliseconds = (locks[user.id] ?? 0) - Date.now();
      user.locked = milliseconds > 0;
      user.lockout_expires_in_seconds = user.locked ? Math.ceil(milliseconds / 1000) : null;
    }
  };
  /** Whether somebody is banned or locked; their profile is the same. */
  const changeAccess = (id: string, set: (user: ClerkUser) => void): ClerkUser => {
    const user = requireUser(id);
    set(user);
    unlockInTime();
    announce('user.updated', copy(user));
    return copy(user);
  };
  const revoke = (session: ClerkSession): void => {
    if (session.status === 'revoked') return;
    Object.assign(session, { status: 'revoked', updated_at: now() });
    announce('session.revoked', copy({ ...session, user: requireUser(session.user_id) }));
  };

  const actions: AccessActions = {
    signIn(id) {
      const user = requireUser(id);
      unlockInTime();
      requireAccess(user);
      const at = now();
      user.last_sign_in_at = at;
      user.last_active_at = at;
      const session: ClerkSession = {
        id: clerkId('sess'),
        object: 'session',
        client_id: clerkId('client'),
        user_id: id,
        status: 'active',
        last_active_organization_id: null,
        actor: null,
        last_active_at: at,
        expire_at: at + 7 * DAY_MS,
        abandon_at: at + 30 * DAY_MS,
        created_at: at,
        updated_at: at,
      };
      sessions.push(session);
      announce('session.created', copy({ ...session, user }));
      return copy(user);
    },

    revokeSession(id) {
      const session = found(
        sessions.find((one) => one.id === id),
        'session',
        id,
      );
      revoke(session);
      return copy(session);
    },

    banUser: (id) =>
      changeAccess(id, (user) => {
        user.banned = true;
        for (const session of sessions) if (session.user_id === id) revoke(session);
      }),
    unbanUser: (id) =>
      changeAccess(id, (user) => {
        user.banned = false;
      }),
    lockUser: (id, seconds = LOCKED_SECONDS) =>
      changeAccess(id, () => {
        locks[id] = Date.now() + seconds * 1000;
      }),
    unlockUser: (id) =>
      changeAccess(id, () => {
        delete locks[id];
      }),
  };
  return { actions, unlockInTime };
}
