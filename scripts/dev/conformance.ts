/**
 * `npm run conformance [-- <folder of the cases>] [options of their runner]`: Hasura's own cases against the
 * embedded engine, on a throw-away PostgreSQL. Fails below the floor that is committed beside this file.
 * The folder is no part of this project; without it there is nothing to run, and that is no failure.
 *
 * `--postgres <url>` takes a server that is there already (a superuser's URL; the cases get databases of their
 * own, dropped in the end): one with PostGIS runs the groups that are skipped without it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { startPostgres } from '@latchkey/local/postgres/postgres';
import { PROJECT_ROOT } from '../environment.ts';
import { belowFloor, readFloor, readTiers, table, tally } from './conformance-report.ts';

const FLOOR = new URL('conformance-floor.json', import.meta.url);
const ENGINE = join(PROJECT_ROOT, 'packages', 'engine', 'src', 'main.ts');
const OUTPUT = join(PROJECT_ROOT, 'dist', 'conformance');
/** With one of these the run is a part of the whole, which no floor is for. */
const NARROWING = /^--(suite|case|tier|strict|corpus|golden|variant|record)\b/;
const GIVEN_SERVER = /^--postgres\b/;

const [first, ...others] = process.argv.slice(2);
const isFolder = first !== undefined && !first.startsWith('-');
const folder = isFolder ? resolve(first) : join(PROJECT_ROOT, '..', 'shared', 'conformance');
const options = isFolder || first === undefined ? others : [first, ...others];
const runner = join(folder, 'run.mjs');

if (existsSync(runner)) {
  process.exitCode = await run();
} else {
  console.log(
    `No conformance cases at ${folder}: nothing to run. Give their folder: npm run conformance -- <folder>`,
  );
  // Whoever names a folder means it.
  process.exitCode = isFolder ? 1 : 0;
}

async function run(): Promise<number> {
  await mkdir(OUTPUT, { recursive: true });
  const [report, text] = [join(OUTPUT, 'report.json'), join(OUTPUT, 'output.txt')];
  // The runner takes the URL from its own options.
  const postgres = options.some((option) => GIVEN_SERVER.test(option)) ? undefined : await startPostgres();
  // Into a file: its thousand lines, and its own count at the end, are not this command's.
  const output = await open(text, 'w');
  try {
    const child = spawn(
      process.execPath,
      [
        ...[runner, '--engine', `exec '${process.execPath}' '${ENGINE}'`],
        ...(postgres === undefined ? [] : ['--postgres', postgres.url]),
        ...['--jobs', String(availableParallelism()), '--verbose', '--json', report, ...options],
      ],
      { cwd: PROJECT_ROOT, stdio: ['ignore', output.fd, output.fd] },
    );
    const stop = () => child.kill('SIGTERM');
    process.once('SIGINT', stop).once('SIGTERM', stop);
    const [code] = await once(child, 'exit');
    if (code !== 0) {
      console.error((await readFile(text, 'utf8')).split('\n').slice(-20).join('\n'));
      return 1;
    }
  } finally {
    await output.close();
    await postgres?.close();
  }
  const tiers = readTiers(join(folder, 'corpus'));
  const result = tally(JSON.parse(await readFile(report, 'utf8')), tiers);
  console.log(table(result, tiers));
  console.log(`Each case that differs: ${relative(process.cwd(), text)}`);
  if (options.some((option) => NARROWING.test(option))) return 0;
  const failures = belowFloor(result, readFloor(FLOOR));
  for (const failure of failures) console.error(failure);
  return failures.length === 0 ? 0 : 1;
}
