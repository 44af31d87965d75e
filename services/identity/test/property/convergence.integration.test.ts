import { holds } from '@latchkey/tests/support/property';
import { type ReconcileBench, startReconcileBench } from '@latchkey/tests/support/reconcile';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repair } from '#sync/reconcile.ts';
import { createWriter, type Writer } from '#sync/writer.ts';
import { arrivals, type Fate, fates, live, type Step, steps } from './history.ts';
import { liveRows, modelOf, tellingTombstones } from './model.ts';

let bench: ReconcileBench;
/** Two services on one database. */
let writers: Writer[];
beforeAll(async () => {
  bench = await startReconcileBench();
  writers = [1, 3].map((inFlight) => createWriter(bench.engine, { inFlight, queueLimit: 1000 }));
});
afterAll(() => bench.close());

const ANY_NUMBER = { deletionLimit: { share: 1, rows: 0 } };
const atOnce = fc.constantFrom(1, 2, 4, 16, 100);
/** Both end by themselves much sooner, unless they were told to go on (see property.ts). */
const LONG = 3_600_000;

/** Lets everything happen at Clerk and arrive here as it may. @returns what Clerk holds then */
async function happen(history: Step[], fate: Fate[], most: number) {
  await bench.reset();
  const { directory } = bench.directory.clerk;
  const { messages } = bench.directory.change(() => live(directory, history));
  for (const [round, group] of arrivals(messages, fate, most).entries()) {
    await Promise.all(
      group.map(async (message, index) => {
        const writer = writers[(round + index) % writers.length];
        if (writer !== undefined) await bench.directory.deliver(writer, message);
      }),
    );
  }
  return modelOf(directory.state());
}

test(
  'deliveries in any order, late and repeated, end in what the provider holds, with no reconcile',
  async () => {
    await holds(
      'Without loss',
      fc.asyncProperty(steps, fates(1), atOnce, async (history, fate, most) => {
        const model = await happen(history, fate, most);
        expect(await liveRows(bench.project.database, true)).toEqual(model);
        expect(await tellingTombstones(bench.project.database)).toEqual([]);
      }),
    );
  },
  LONG,
);

/** At which of its calls of Clerk's API a reconcile is cut off, and the one that goes on where it was. */
const cuts = fc.array(fc.nat(8), { maxLength: 2 });

async function repairCutOffAt(call: number): Promise<void> {
  const stopped = new AbortController();
  let calls = 0;
  bench.directory.intercept = () => {
    if (calls === call) stopped.abort(new Error('cut off'));
    calls += 1;
    return undefined;
  };
  const repairing = repair({ ...bench.context, signal: stopped.signal }, ANY_NUMBER);
  await repairing.catch((error: unknown) => {
    if (!(error instanceof Error && error.message === 'cut off')) throw error;
  });
  bench.directory.intercept = () => undefined;
}

test(
  'with any of them lost, one reconcile, however often cut off, ends in exactly what the provider holds',
  async () => {
    await holds(
      'With loss',
      fc.asyncProperty(steps, fates(0), atOnce, cuts, async (history, fate, most, cutAt) => {
        const model = await happen(history, fate, most);
        await bench.later();
        for (const call of cutAt) await repairCutOffAt(call);
        const report = await repair(bench.context, ANY_NUMBER);
        expect(report.refused).toEqual({ user: 0, organization: 0, membership: 0 });
        expect(await liveRows(bench.project.database, false)).toEqual(model);
        expect(await tellingTombstones(bench.project.database)).toEqual([]);
      }),
    );
  },
  LONG,
);
