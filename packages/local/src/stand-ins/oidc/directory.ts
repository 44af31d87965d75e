import { randomUUID } from 'node:crypto';
import { z } from 'zod';

export const OIDC_USER = z.object({
  /** The `sub` of their tokens. */
  id: z.string(),
  email: z.string(),
  email_verified: z.boolean(),
  name: z.string().optional(),
  given_name: z.string().optional(),
  family_name: z.string().optional(),
  /** Further claims of their tokens. */
  claims: z.record(z.string(), z.unknown()),
});
export type OidcUser = z.infer<typeof OIDC_USER>;

/** What the issuer refuses; the message says why. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** The people of the issuer. */
export interface LocalDirectory {
  /** @throws RefusedError where the address is taken */
  signUp(profile: Partial<Omit<OidcUser, 'id' | 'email'>> & { email: string }): OidcUser;
  /** @param user an id or an e-mail address */
  findUser(user: string): OidcUser | undefined;
  /** @throws RefusedError where there is no such user */
  updateUser(user: string, changes: Partial<Omit<OidcUser, 'id'>>): OidcUser;
  deleteUser(user: string): void;
  users(): readonly OidcUser[];
}

export function createDirectory(kept: readonly OidcUser[] = []): LocalDirectory {
  const users = [...kept];
  const findUser = (text: string) => users.find(({ id, email }) => id === text || email === text);
  const requireUser = (text: string): OidcUser => {
    const user = findUser(text);
    if (user === undefined) throw new RefusedError(`there is no user ${text}: sign them up first`);
    return user;
  };
  return {
    signUp({ email, ...profile }) {
      if (findUser(email) !== undefined) throw new RefusedError(`${email} is taken`);
      const user = { id: randomUUID(), email, email_verified: true, claims: {}, ...profile };
      users.push(user);
      return user;
    },
    findUser,
    updateUser: (text, changes) => Object.assign(requireUser(text), changes),
    deleteUser(text) {
      users.splice(users.indexOf(requireUser(text)), 1);
    },
    users: () => users,
  };
}

/** The standard claims of a user's profile. */
export function profileOf({ id, claims: _, ...profile }: OidcUser): Record<string, unknown> {
  return { sub: id, ...profile };
}
