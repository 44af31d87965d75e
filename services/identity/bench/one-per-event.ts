/**
 * The service, but for one thing: each event is a mutation of its own.
 *
 * With the argument `in-turn` the next one begins when the one before it has ended, as a writer does
 * whose batches are limited to one event. Without it all of them are under way at once.
 */
import { batchVariables } from '#sync/rows.ts';
import { serveWebhooks } from './webhook-server.ts';

const isInTurn = process.argv.includes('in-turn');
let last: Promise<unknown> = Promise.resolve();

await serveWebhooks((entry, records, engine) => {
  const mutate = (): Promise<unknown> => engine.writeBatch(batchVariables(records, [entry]));
  if (!isInTurn) return mutate();
  const written = last.then(mutate);
  last = written.catch(() => {});
  return written;
});
