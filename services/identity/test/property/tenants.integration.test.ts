import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CasdoorRecord,
  type CasdoorUser,
  type LocalCasdoor,
  RefusedError,
  startLocalCasdoor,
} from '@latchkey/local/stand-ins/casdoor';
import type { Message } from '@latchkey/local/stand-ins/clerk';
import { holds } from '@latchkey/tests/support/property';
import { type ReconcileBench, startReconcileBench } from '@latchkey/tests/support/reconcile';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCasdoor } from '#providers/casdoor/index.ts';
import type { CompleteProvider } from '#providers/provider.ts';
import { deliver } from '#sync/deliver.ts';
import { repair } from '#sync/reconcile.ts';
import { createWriter, type Writer } from '#sync/writer.ts';
import { configOf } from '../support/casdoor.ts';

// Two providers, three organizations at one of them (of which one is not kept in step), and ids that
// collide on purpose: whatever happens and in whatever order it is told, every row belongs to whom it
// belongs.

let bench: ReconcileBench;
let casdoor: LocalCasdoor;
let provider: CompleteProvider;
let writer: Writer;
beforeAll(async () => {
  [bench, casdoor] = await Promise.all([startReconcileBench(), startLocalCasdoor({ port: 0 })]);
  for (const name of ['beta', 'gamma']) casdoor.directory.addOrganization(name);
  provider = createCasdoor(configOf(casdoor, { CASDOOR_ORGANIZATIONS: 'acme,beta' }), bench.engine);
  writer = createWriter(bench.engine, { inFlight: 3, queueLimit: 1000 });
});
afterAll(async () => {
  await casdoor.close();
  await bench.close();
});

interface Step {
  act: 'join Clerk' | 'change at Clerk' | 'leave Clerk' | 'join' | 'change' | 'disable' | 'leave' | 'move';
  organization: 'acme' | 'beta' | 'gamma';
  /** Which of those there are, and whose id is taken over. */
  which: number;
  id: 'fresh' | 'shared' | 'of Clerk' | 'of Casdoor';
  text: string;
  isTold: boolean;
  arrive: number;
}

const steps = fc.array(
  fc.record<Step>({
    act: fc.oneof(
      ...(
        [
          ['join Clerk', 2],
          ['change at Clerk', 1],
          ['leave Clerk', 1],
          ['join', 6],
          ['change', 4],
          ['disable', 1],
          ['leave', 3],
          ['move', 2],
        ] as const
      ).map(([act, weight]) => ({ weight, arbitrary: fc.constant(act) })),
    ),
    organization: fc.constantFrom('acme', 'beta', 'acme', 'beta', 'gamma'),
    which: fc.nat(7),
    id: fc.constantFrom('fresh', 'shared', 'shared', 'of Clerk', 'of Casdoor'),
    text: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 5 }),
    isTold: fc.boolean(),
    arrive: fc.nat(4),
  }),
  { minLength: 1, maxLength: 25, size: 'max' },
);

/** A person of the history: of which provider, since when, and by which id. Moves do not make another. */
interface Being {
  key: string;
  id: string;
}
let beings: Being[];
let born: number;
const keyOfUser = (user: Pick<CasdoorUser, 'createdTime'>) => `casdoor ${user.createdTime}`;
const people = () => casdoor.directory.state().users.filter(({ owner }) => owner !== 'built-in');

function take({ act, organization, which, id, text, isTold }: Step): {
  records: CasdoorRecord[];
  messages: Message[];
} {
  const clerk = bench.directory.clerk.directory;
  const clerks = clerk.state().users;
  const atClerk = clerks[which % Math.max(1, clerks.length)];
  const user = people()[which % Math.max(1, people().length)];
  const name = user && `${user.owner}/${user.name}`;
  const at = isTold ? casdoor.actions : casdoor.directory;
  const atCasdoor = (change: () => unknown) => {
    try {
      return { records: casdoor.intercept(change).records, messages: [] };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return { records: [], messages: [] };
    }
  };
  const atTheirs = (change: () => unknown) => ({
    records: [],
    messages: bench.directory.change(change).messages,
  });
  switch (act) {
    case 'join Clerk':
      return atTheirs(() => {
        const { id: fresh } = clerk.signUp({ firstName: text });
        beings.push({ key: `clerk ${fresh}`, id: fresh });
      });
    case 'change at Clerk':
      return atTheirs(() => atClerk && clerk.updateUser(atClerk.id, { firstName: text }));
    case 'leave Clerk':
      return atTheirs(() => atClerk && clerk.deleteUser(atClerk.id));
    case 'join': {
      born += 1;
      const taken = {
        fresh: `fresh-${born}`,
        shared: `shared-${which % 2}`,
        'of Clerk': atClerk?.id ?? `fresh-${born}`,
        'of Casdoor': user?.id ?? `fresh-${born}`,
      }[id];
      // Within one organization ids are what tells people apart.
      if (people().some((one) => one.owner === organization && one.id === taken)) return atCasdoor(() => {});
      const createdTime = new Date(Date.UTC(2026, 0, 1) + born * 1000).toISOString();
      beings.push({ key: `casdoor ${createdTime}`, id: taken });
      return atCasdoor(() =>
        at.addUser(`${organization}/u${born}`, { id: taken, displayName: text, createdTime }),
      );
    }
    case 'change':
      return atCasdoor(() => name && at.updateUser(name, { displayName: text }));
    case 'disable':
      return atCasdoor(() => name && at.updateUser(name, { isForbidden: text.length % 2 === 0 }));
    case 'leave':
      return atCasdoor(() => name && at.deleteUser(name));
    case 'move': {
      const isFree = !people().some((one) => one.owner === organization && one.id === user?.id);
      return atCasdoor(() => name && isFree && at.updateUser(name, { owner: organization }));
    }
  }
}

async function arrive(told: readonly (CasdoorRecord | Message)[]): Promise<void> {
  await Promise.all(
    told.map(async (one) => {
      if ('action' in one) {
        const id = `casdoor:${one.name}:${one.action}`;
        const body = JSON.stringify(one);
        await deliver(provider.webhooks, writer, { id, provider: 'casdoor', body, receivedAt: Date.now() });
      } else {
        await bench.directory.deliver(writer, one);
      }
    }),
  );
}

interface Row extends Record<string, unknown> {
  id: string;
  provider: string;
  tenant: string;
  name: string | null;
  created: string | null;
  isDeleted: boolean;
  isDisabled: boolean;
}
const rows = async () =>
  (await bench.query(
    `SELECT id, provider, tenant, name, source_created_at AS created, deleted_at IS NOT NULL AS "isDeleted",
       disabled_at IS NOT NULL AS "isDisabled" FROM public.users`,
  )) as Row[];

/** Who the id is of now, if they are kept in step. */
function presentOf(
  id: string,
): { key: string; provider: string; tenant: string; name: string; out: boolean }[] {
  const clerks = bench.directory.clerk.directory
    .state()
    .users.filter((user) => user.id === id)
    .map((user) => ({
      key: `clerk ${id}`,
      provider: 'clerk',
      tenant: '',
      name: user.first_name ?? '',
      out: false,
    }));
  const others = people()
    .filter((user) => user.id === id && user.owner !== 'gamma')
    .map((user) => ({
      key: keyOfUser(user),
      provider: 'casdoor',
      tenant: user.owner,
      name: user.displayName,
      out: user.isForbidden,
    }));
  return [...clerks, ...others];
}

async function reset(): Promise<void> {
  await bench.reset();
  beings = [];
  born = 0;
  casdoor.intercept(() => {
    for (const { owner, name } of [...people()]) casdoor.directory.deleteUser(`${owner}/${name}`);
  });
}

const ANY_NUMBER = { deletionLimit: { share: 1, rows: 0 } };

test('every row belongs to whom it belongs, whoever else bears the id', async () => {
  await holds(
    'Tenants',
    fc.asyncProperty(steps, fc.infiniteStream(fc.nat(1000)), async (history, chance) => {
      await reset();
      const underWay: (CasdoorRecord | Message)[] = [];
      for (const step of history) {
        const { records, messages } = take(step);
        underWay.push(...records, ...messages);
        const arriving: typeof underWay = [];
        while (arriving.length < step.arrive && underWay.length > 0) {
          const [one] = underWay.splice(chance.next().value % underWay.length, 1);
          if (one !== undefined) arriving.push(one);
        }
        await arrive(arriving);
      }
      await arrive(underWay);
      await bench.later();
      await sleep(2);
      await repair({ provider, engine: bench.engine, writer }, ANY_NUMBER);
      await repair(bench.context, ANY_NUMBER);

      const found = await rows();
      for (const row of found) {
        const claimants = new Set(beings.filter(({ id }) => id === row.id).map(({ key }) => key));
        const owners = presentOf(row.id).filter(
          (one) => one.provider === row.provider && (row.provider === 'clerk' || one.tenant === row.tenant),
        );
        if (row.isDeleted) {
          // A tombstone stands for nobody who is there now, but where another had the id before them.
          if (claimants.size === 1) expect(presentOf(row.id)).toEqual([]);
          expect(row.name).toBeNull();
        } else {
          expect(owners).toHaveLength(1);
          expect(row).toMatchObject({ name: owners[0]?.name, isDisabled: owners[0]?.out });
        }
      }
      // Who alone has ever had an id is there.
      for (const { id } of beings) {
        const isAlone = new Set(beings.filter((one) => one.id === id).map(({ key }) => key)).size === 1;
        const [present] = presentOf(id);
        if (isAlone && present !== undefined) {
          expect(found.find((row) => row.id === id)).toMatchObject({
            provider: present.provider,
            name: present.name,
            isDeleted: false,
          });
        }
      }
      // And nobody is a member of anything by another's word.
      expect(
        await bench.query(
          `SELECT m.organization_id, m.user_id FROM public.organization_memberships m
             JOIN public.users u ON u.id = m.user_id JOIN public.organizations o ON o.id = m.organization_id
            WHERE m.deleted_at IS NULL AND (m.provider <> u.provider OR m.provider <> o.provider
              OR m.tenant <> u.tenant OR m.tenant <> o.tenant OR u.deleted_at IS NOT NULL)`,
        ),
      ).toEqual([]);
    }),
  );
}, 3_600_000);
