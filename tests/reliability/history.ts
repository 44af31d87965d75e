import type { LocalClerk, Message } from '@latchkey/local/stand-ins/clerk';
import type { Random } from '../support/random.ts';

/** What one row of each table is to hold. Instants are in milliseconds. */
export interface ExpectedRows {
  users: Record<string, unknown>[];
  organizations: Record<string, unknown>[];
  memberships: Record<string, unknown>[];
}

export interface History {
  /** Lets this much happen at Clerk, and gives the messages that it sends for it. */
  happen(count: number): Message[];
  /** What the tables hold when all that has happened is delivered, in the order of their keys. */
  rows(): ExpectedRows;
}

/** People who sign up, change, join organizations, leave them and go. */
export function createHistory(clerk: LocalClerk, random: Random, name: string): History {
  const { directory } = clerk;
  const users: string[] = [];
  const organizations: string[] = [];
  const members: { organization: string; user: string }[] = [];
  const leftUsers: string[] = [];
  const leftMembers: { organization: string; user: string }[] = [];
  let count = 0;

  function signUp(): void {
    const email = `${name}-${count}@example.com`;
    users.push(directory.signUp({ email, firstName: `First ${count}` }).id);
  }

  function change(): void {
    count += 1;
    const dice = random.below(100);
    if (users.length < 5 || dice < 35) signUp();
    else if (dice < 55) directory.updateUser(random.pick(users), { firstName: `Again ${count}` });
    else if (dice < 62) directory.signIn(random.pick(users));
    else if (organizations.length === 0 || dice < 67) {
      organizations.push(directory.createOrganization({ name: `Organization ${count}` }).id);
    } else if (dice < 72) {
      directory.updateOrganization(random.pick(organizations), { name: `Again ${count}` });
    } else if (dice < 88 || members.length === 0) join(random.pick(organizations), random.pick(users));
    else if (dice < 95) leave(random.below(members.length));
    else go(random.pick(users));
  }

  function join(organization: string, user: string): void {
    directory.setMembership(organization, user, random.pick(['org:admin', 'org:member']));
    const isThem = (one: { organization: string; user: string }) =>
      one.organization === organization && one.user === user;
    if (!members.some(isThem)) members.push({ organization, user });
    const left = leftMembers.findIndex(isThem);
    if (left >= 0) leftMembers.splice(left, 1);
  }

  function leave(index: number): void {
    const [member] = members.splice(index, 1);
    if (member === undefined) return;
    directory.removeMembership(member.organization, member.user);
    leftMembers.push(member);
  }

  /** Clerk ends the memberships first, and tells of each. */
  function go(user: string): void {
    for (let index = members.length - 1; index >= 0; index -= 1) {
      if (members[index]?.user === user) leave(index);
    }
    directory.deleteUser(user);
    users.splice(users.indexOf(user), 1);
    leftUsers.push(user);
  }

  return {
    happen: (wanted) =>
      clerk.intercept(() => {
        for (let index = 0; index < wanted; index += 1) change();
      }).messages,
    rows() {
      const state = directory.state();
      const rows: ExpectedRows = {
        users: [
          ...state.users.map((user) => ({
            id: user.id,
            email: user.email_addresses[0]?.email_address,
            first_name: user.first_name,
            last_seen: user.last_active_at,
            clock: user.updated_at,
            deleted: false,
          })),
          ...leftUsers.map((id) => ({ id, email: null, first_name: null, deleted: true })),
        ],
        organizations: state.organizations.map(({ id, name, updated_at }) => ({
          id,
          name,
          clock: updated_at,
          deleted: false,
        })),
        memberships: [
          ...state.memberships.map((one) => ({
            id: `${one.organization.id} ${one.public_user_data.user_id}`,
            role: one.role,
            clock: one.updated_at,
            deleted: false,
          })),
          ...leftMembers.map(({ organization, user }) => ({
            id: `${organization} ${user}`,
            role: null,
            deleted: true,
          })),
        ],
      };
      for (const table of Object.values(rows)) {
        table.sort((one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1));
      }
      return rows;
    },
  };
}

const INSTANT = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

/** The same of the tables themselves. What a deletion does not tell is left out. */
export async function readRows(
  query: (sql: string) => Promise<Record<string, unknown>[]>,
): Promise<ExpectedRows> {
  const clock = `case when deleted_at is null then ${INSTANT('source_updated_at')} end as clock, deleted_at is not null as deleted`;
  const seen = `case when deleted_at is null then ${INSTANT('last_seen')} end as last_seen`;
  const [users, organizations, memberships] = [
    await query(`select id, email, first_name, ${seen}, ${clock} from users order by id`),
    await query(`select id, name, ${clock} from organizations order by id`),
    await query(
      `select organization_id || ' ' || user_id as id, role, ${clock} from organization_memberships order by 1`,
    ),
  ].map((rows) => rows.map(withoutUntold));
  return { users: users ?? [], organizations: organizations ?? [], memberships: memberships ?? [] };
}

function withoutUntold(row: Record<string, unknown>): Record<string, unknown> {
  if (row.deleted !== true) return row;
  const { clock: _clock, last_seen: _lastSeen, ...told } = row;
  return told;
}
