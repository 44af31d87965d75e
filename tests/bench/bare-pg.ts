/**
 * `node tests/bench/bare-pg.ts '<json>'`: what `pg` alone does with one prepared statement, for
 * comparison; prints statements per second.
 */
import pg from 'pg';
import { z } from 'zod';

const task = z
  .object({
    url: z.string(),
    text: z.string(),
    /** One list of values for each statement, over and over. */
    values: z.array(z.array(z.string())),
    inFlight: z.number(),
    seconds: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? '{}'));

const pool = new pg.Pool({ connectionString: task.url, max: task.inFlight });
let done = 0;
let next = 0;
const run = async (until: number) => {
  while (performance.now() < until) {
    const values = task.values[next++ % task.values.length] ?? [];
    await pool.query({ name: 'bench', text: task.text, values });
    done += 1;
  }
};
const all = (seconds: number) => {
  const until = performance.now() + seconds * 1000;
  return Promise.all(Array.from({ length: task.inFlight }, () => run(until)));
};
await all(1);
done = 0;
const begun = performance.now();
await all(task.seconds);
console.log(JSON.stringify({ perSecond: (done * 1000) / (performance.now() - begun) }));
await pool.end();
