import type { CasdoorUser } from '@latchkey/local/stand-ins/casdoor';
import { z } from 'zod';
import { latchkey } from '../../support/latchkey.ts';
import { startThreeProviders, type ThreeProviders } from '../../support/three-providers.ts';

/** A real service and engine, with three providers and several organizations at Casdoor. */
export type TenantsWorld = {
  stack: ThreeProviders;
  /** Somebody new at Casdoor, by the act of an administrator, whose webhook has arrived. */
  joins(name: string, input?: Partial<CasdoorUser>): Promise<CasdoorUser>;
  tokenOf(user: CasdoorUser): Promise<string>;
  /** All that a token gets of its bearer's tables, or the error's code. */
  read(token: string): Promise<unknown>;
  /** An action, called as a client calls it. @returns its data, or the error's code */
  act(token: string, action: string): Promise<unknown>;
  /** The rows as they are, by an administrator: what a victim must not lose. */
  rows(): Promise<Rows>;
  /** The row of one user. */
  row(id: string): Promise<Rows['users'][number] | undefined>;
  /** What the ledger says of the last deliveries about somebody. */
  ledger(subject: string): Promise<{ type: string; status: string; error: string | null }[]>;
  /** Runs a command of the operator with the settings of the service. */
  latchkey(...args: string[]): ReturnType<typeof latchkey>;
  close(): Promise<void>;
};

const ROWS = z.object({
  users: z.array(
    z.looseObject({ id: z.string(), name: z.string().nullable(), deleted_at: z.string().nullable() }),
  ),
  organizations: z.array(z.looseObject({ id: z.string() })),
  organization_memberships: z.array(z.looseObject({ user_id: z.string(), organization_id: z.string() })),
});
export type Rows = z.infer<typeof ROWS>;

const EVERYTHING = `{
  users(order_by: {id: asc}) {
    id provider tenant previous_tenant name email username roles deleted_at disabled_at legacy_id
  }
  organizations(where: {deleted_at: {_is_null: true}}, order_by: {id: asc}) { id provider tenant }
  organization_memberships(
    where: {deleted_at: {_is_null: true}}, order_by: [{organization_id: asc}, {user_id: asc}]
  ) { organization_id user_id provider tenant role }
}`;
const OWN = `{
  users { id name provider }
  organizations(order_by: {id: asc}) { id }
  organization_memberships(order_by: [{organization_id: asc}, {user_id: asc}]) { organization_id user_id role }
}`;
const LEDGER = z.object({
  identity_deliveries: z.array(
    z.object({ type: z.string(), status: z.string(), error: z.string().nullable() }),
  ),
});

/** @param env more settings of the service, such as CASDOOR_ORGANIZATIONS */
export async function startTenantsWorld(env: Readonly<Record<string, string>> = {}): Promise<TenantsWorld> {
  let settings: Record<string, string> = {};
  const stack = await startThreeProviders((own) => {
    settings = { ...own, ...env };
    return settings;
  });
  const { casdoor } = stack;
  for (const name of ['beta', 'gamma']) casdoor.actions.addOrganization(name);
  await casdoor.webhooks.idle();

  const world: TenantsWorld = {
    stack,
    async joins(name, input = {}) {
      const user = casdoor.actions.addUser(name, input);
      await casdoor.webhooks.idle();
      return user;
    },
    tokenOf: (user) => casdoor.token(user, { format: 'JWT-Empty', lifetimeSeconds: 600 }),
    async read(token) {
      const { data, codes } = await stack.hasura.query(OWN, { token });
      return data ?? codes.join(', ');
    },
    async act(token, action) {
      const { data, codes } = await stack.hasura.query(`mutation { ${action} { id } }`, { token });
      return data ?? codes.join(', ');
    },
    rows: async () => ROWS.parse(await stack.asAdmin(EVERYTHING)),
    row: async (id) => (await world.rows()).users.find((user) => user.id === id),
    async ledger(subject) {
      const where = `where: {subject: {_eq: ${JSON.stringify(subject)}}}, order_by: {settled_at: asc}`;
      const answer = await stack.asAdmin(`{ identity_deliveries(${where}) { type status error } }`);
      return LEDGER.parse(answer).identity_deliveries;
    },
    latchkey: (...args) =>
      latchkey(args, {
        ...settings,
        HASURA_GRAPHQL_ENDPOINT: stack.engine.url,
        HASURA_GRAPHQL_ADMIN_SECRET: stack.adminSecret,
      }),
    close: stack.close,
  };
  return world;
}
