import type { ProviderName } from '@latchkey/identity/core/records';
import { createHasuraClient, type HasuraClient } from '@latchkey/identity/hasura/client';
import type { ReconcileContext } from '@latchkey/identity/sync/reconcile-context';
import { createWriter, type Writer } from '@latchkey/identity/sync/writer';
import { type ClerkDirectory, startClerkDirectory } from './clerk-directory.ts';
import { type EmbeddedProject, startEmbedded } from './embedded.ts';

export type ReconcileBench = {
  project: EmbeddedProject;
  directory: ClerkDirectory;
  engine: HasuraClient;
  writer: Writer;
  context: ReconcileContext;
  query: EmbeddedProject['database']['query'];
  /** Users, organizations and members of the first organization, at Clerk alone. */
  populate(size: { users: number; organizations?: number; members?: number }): {
    users: string[];
    organizations: string[];
  };
  /** The keys of the live rows of each table. */
  live(provider?: ProviderName): Promise<{ users: string[]; organizations: string[]; memberships: string[] }>;
  /**
   * Waits until it is later than anything that has happened at the local Clerk, whose clock runs ahead
   * when much happens within one millisecond: a repair only deletes what is older than its listing.
   */
  later(): Promise<void>;
  /** Empties both sides. */
  reset(): Promise<void>;
  close(): Promise<void>;
};

/** A local Clerk, an engine with this project's tables, and what a reconcile between them takes. */
export async function startReconcileBench(): Promise<ReconcileBench> {
  const [project, directory] = await Promise.all([startEmbedded(), startClerkDirectory()]);
  const engine = createHasuraClient(project.config);
  const writer = createWriter(engine, { inFlight: 2, queueLimit: 10_000 });
  const { query } = project.database;
  const at = directory.clerk.directory;
  return {
    project,
    directory,
    engine,
    writer,
    context: { provider: directory.provider, engine, writer },
    query,
    populate: ({ users, organizations = 0, members = 0 }) =>
      directory.change(() => {
        const people = Array.from(
          { length: users },
          (_, index) => at.signUp({ firstName: `User ${index}` }).id,
        );
        const places = Array.from(
          { length: organizations },
          (_, index) => at.createOrganization({ name: `Org ${index}` }).id,
        );
        const [first] = places;
        if (first !== undefined) {
          for (const user of people.slice(0, members)) at.setMembership(first, user, 'org:member');
        }
        return { users: people, organizations: places };
      }).result,
    async live(provider = 'clerk') {
      const keys = async (table: string, key: string) => {
        const sql = `SELECT ${key} AS key FROM public.${table} WHERE provider = $1 AND deleted_at IS NULL ORDER BY 1`;
        return (await query(sql, [provider])).map((row) => String(row.key));
      };
      return {
        users: await keys('users', 'id'),
        organizations: await keys('organizations', 'id'),
        memberships: await keys('organization_memberships', "organization_id || ' ' || user_id"),
      };
    },
    async later() {
      const { result } = directory.change(() => at.createOrganization({ name: 'A moment' }));
      directory.change(() => at.deleteOrganization(result.id));
      while (Date.now() <= result.updated_at + 1) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    async reset() {
      directory.reset();
      await query(
        'TRUNCATE public.users, public.organizations, identity.deliveries, identity.reconciles CASCADE',
      );
    },
    async close() {
      await writer.close();
      await directory.close();
      await project.close();
    },
  };
}
