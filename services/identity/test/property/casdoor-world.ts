import { setTimeout as sleep } from 'node:timers/promises';
import { type CasdoorRecord, type LocalCasdoor, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { createHasuraClient } from '#hasura/client.ts';
import { createCasdoor } from '#providers/casdoor/index.ts';
import { deliver } from '#sync/deliver.ts';
import { repair } from '#sync/reconcile.ts';
import type { Report } from '#sync/report.ts';
import { createWriter } from '#sync/writer.ts';
import { configOf } from '../support/casdoor.ts';

/** A local Casdoor, the tables, and what brings the one into the other. */
export interface CasdoorWorld {
  project: EmbeddedProject;
  casdoor: LocalCasdoor;
  /**
   * Makes the function that changes something at Casdoor, and lets as many of the deliveries on their way
   * arrive, all at once, as are asked for; which of them is a matter of `chance`.
   */
  post(chance: Iterator<number>): (change: () => unknown, arrive: number) => Promise<void>;
  /** Brings everything that no delivery told, however much of it is gone. */
  repair(): Promise<Report>;
  /** Empties both sides. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function startCasdoorWorld(): Promise<CasdoorWorld> {
  const [project, casdoor] = await Promise.all([startEmbedded(), startLocalCasdoor({ port: 0 })]);
  const engine = createHasuraClient(project.config);
  const provider = createCasdoor(configOf(casdoor), engine);
  const writer = createWriter(engine, { inFlight: 2, queueLimit: 1000 });

  async function arrive(records: readonly CasdoorRecord[]): Promise<void> {
    await Promise.all(
      records.map((record) => {
        const body = JSON.stringify(record);
        const id = `casdoor:${record.name}:${record.action}`;
        return deliver(provider.webhooks, writer, { id, provider: 'casdoor', body, receivedAt: Date.now() });
      }),
    );
  }

  return {
    project,
    casdoor,
    post(chance) {
      const underWay: CasdoorRecord[] = [];
      return async (change, count) => {
        underWay.push(...casdoor.intercept(change).records);
        const arriving: CasdoorRecord[] = [];
        while (arriving.length < count && underWay.length > 0) {
          const { value } = chance.next();
          const [record] = underWay.splice(Number(value) % underWay.length, 1);
          if (record !== undefined) arriving.push(record);
        }
        await arrive(arriving);
      };
    },
    async repair() {
      // A listing is compared with what was read before it, and time is counted in milliseconds.
      await sleep(2);
      return repair({ provider, engine, writer }, { deletionLimit: { share: 1, rows: 0 } });
    },
    async reset() {
      await project.database.query(
        'TRUNCATE public.users, public.organizations, identity.deliveries, identity.reconciles CASCADE',
      );
      const state = casdoor.directory.state();
      state.roles.splice(0);
      state.groups.splice(0);
      state.users.splice(0, state.users.length, ...state.users.filter(({ owner }) => owner === 'built-in'));
      const kept = state.organizations.filter(({ name }) => name === 'built-in');
      state.organizations.splice(0, state.organizations.length, ...kept);
      casdoor.directory.addOrganization('acme');
    },
    async close() {
      await casdoor.close();
      await project.close();
    },
  };
}
