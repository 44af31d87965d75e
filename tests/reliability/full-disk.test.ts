import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { unprivilegedUser } from '@latchkey/local/postgres/user';
import type { Message } from '@latchkey/local/stand-ins/clerk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startedBy } from '../support/processes.ts';
import { expectedLedger, startWorld, type World } from './world.ts';

/** More than PostgreSQL's log takes, whose files are 16 MB, and less than the ledger is going to. */
const LARGEST_FILE = 17 * 1024 * 1024;
/** Nearly as large as a delivery may be, and nothing to compress. */
const BALLAST_BYTES = 600_000;
const MOST_DELIVERIES = 60;

const hasPrlimit = spawnSync('prlimit', ['--version']).error === undefined;

let world: World;
beforeAll(async () => {
  if (hasPrlimit) world = await startWorld();
}, 120_000);
afterAll(() => world?.close(), 60_000);

/**
 * A full disk without filling one, and without the rights to mount one: the kernel lets none of
 * PostgreSQL's files grow beyond a size, and PostgreSQL sees its writes cut short.
 */
function limitFiles(bytes: number | 'unlimited'): void {
  const { pid } = world.postgres.child();
  for (const one of [pid, ...startedBy(pid)]) {
    // As PostgreSQL's own user, who needs no rights for it. One that has just ended is no matter.
    spawnSync('prlimit', [`--pid=${one}`, `--fsize=${bytes}:`], { ...unprivilegedUser() });
  }
}

test.skipIf(!hasPrlimit)(
  'when PostgreSQL cannot write any more deliveries are answered 503, and are stored once it can',
  { timeout: 120_000 },
  async () => {
    const { clerk } = world;
    const user = clerk.directory.signUp({ email: 'heavy@example.com' });
    const heavy = (): Message => {
      const publicMetadata = { ballast: randomBytes(BALLAST_BYTES).toString('base64') };
      const { messages } = clerk.intercept(() => clerk.directory.updateUser(user.id, { publicMetadata }));
      const [message] = messages;
      if (message === undefined) throw new Error('The update caused no event.');
      return message;
    };
    const sender = world.sender(0);
    const accepted: Message[] = [];
    const refused: Message[] = [];

    limitFiles(LARGEST_FILE);
    while (refused.length < 3 && accepted.length < MOST_DELIVERIES) {
      const message = heavy();
      const { status, headers } = await sender.post(message);
      expect([200, 503]).toContain(status);
      if (status === 200) accepted.push(message);
      else {
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        refused.push(message);
      }
    }
    expect(refused).toHaveLength(3);
    expect(await ledger()).toEqual(expectedLedger(accepted));
    expect(world.log.filter((line) => line.includes('"code":"internal"'))).toEqual([]);

    limitFiles('unlimited');
    expect(await Promise.all(refused.map((message) => sender.send(message)))).toEqual([true, true, true]);
    expect(await ledger()).toEqual(expectedLedger([...accepted, ...refused]));
  },
);

function ledger(): Promise<Record<string, unknown>[]> {
  return world.query('select id, type, status, attempts from identity.deliveries order by id');
}
