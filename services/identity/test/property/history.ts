import type { LocalDirectory } from '@latchkey/local/stand-ins/clerk';
import fc from 'fast-check';

/** What may happen at a provider. `user` and `organization` choose among those there are. */
export interface Step {
  act:
    | 'sign up'
    | 'sign in'
    | 'update user'
    | 'delete user'
    | 'create organization'
    | 'rename organization'
    | 'delete organization'
    | 'join'
    | 'leave';
  user: number;
  organization: number;
  text: string;
  metadata: Record<string, unknown>;
}

const ACTS: { weight: number; act: Step['act'] }[] = [
  { weight: 3, act: 'sign up' },
  { weight: 2, act: 'sign in' },
  { weight: 7, act: 'update user' },
  { weight: 2, act: 'delete user' },
  { weight: 3, act: 'create organization' },
  { weight: 2, act: 'rename organization' },
  { weight: 1, act: 'delete organization' },
  { weight: 5, act: 'join' },
  { weight: 3, act: 'leave' },
];

export const steps = fc.array(
  fc.record<Step>({
    act: fc.oneof(...ACTS.map(({ weight, act }) => ({ weight, arbitrary: fc.constant(act) }))),
    user: fc.nat(3),
    organization: fc.nat(2),
    // Whatever people type, U+0000 and halves of characters too.
    text: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom('\u0000', '\ud83d', 'a\udc00b', "'; --"),
    ),
    metadata: fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 }),
  }),
  { minLength: 1, maxLength: 40, size: 'max' },
);

/** Lets the steps happen; one that finds nobody to happen to is left out. */
export function live(directory: LocalDirectory, history: readonly Step[]): void {
  for (const { act, user: userIndex, organization: organizationIndex, text, metadata } of history) {
    const { users, organizations, memberships } = directory.state();
    const user = users[userIndex % Math.max(1, users.length)];
    const organization = organizations[organizationIndex % Math.max(1, organizations.length)];
    switch (act) {
      case 'sign up':
        directory.signUp({ email: `user${crypto.randomUUID()}@example.com`, firstName: text });
        break;
      case 'create organization':
        directory.createOrganization({ name: text });
        break;
      case 'sign in':
        if (user) directory.signIn(user.id);
        break;
      case 'update user':
        if (user) directory.updateUser(user.id, { lastName: text, publicMetadata: metadata });
        break;
      case 'delete user':
        if (user) directory.deleteUser(user.id);
        break;
      case 'rename organization':
        if (organization) directory.updateOrganization(organization.id, { name: text });
        break;
      case 'delete organization':
        if (organization) directory.deleteOrganization(organization.id);
        break;
      case 'join':
        if (user && organization) {
          directory.setMembership(
            organization.id,
            user.id,
            text.length % 2 === 0 ? 'org:member' : 'org:admin',
          );
        }
        break;
      case 'leave': {
        const membership = memberships[userIndex % Math.max(1, memberships.length)];
        if (membership) {
          directory.removeMembership(membership.organization.id, membership.public_user_data.user_id);
        }
        break;
      }
    }
  }
}

/** How one message fares: how many times it comes, and when in comparison with all others. */
export interface Fate {
  arrivals: number[];
}

/** @param least how many times each message comes at least: 0 where some are lost */
export const fates = (least: 0 | 1) =>
  fc.array(fc.record<Fate>({ arrivals: fc.array(fc.nat(1000), { minLength: least, maxLength: 3 }) }), {
    minLength: 40,
    maxLength: 40,
  });

/** The messages as they arrive, several at once. */
export function arrivals<T>(messages: readonly T[], fate: readonly Fate[], atOnce: number): T[][] {
  const all = messages
    .flatMap((message, index) => (fate[index]?.arrivals ?? [0]).map((when) => ({ message, when })))
    .sort((one, other) => one.when - other.when)
    .map(({ message }) => message);
  return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, index) =>
    all.slice(index * atOnce, (index + 1) * atOnce),
  );
}
