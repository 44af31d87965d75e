/**
 * `npm run mutate [-- <area>…] [--sample <n>] [--seed <n>]`: breaks the sources in small ways, one at a time, and
 * lists what no test notices (docs/mutation.md). Everything happens in a copy under `dist/mutate/`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT } from '@latchkey/scripts/environment';
import { AREAS } from './areas.ts';
import { tryTypeScript } from './typescript.ts';
import { tryWholeFiles } from './whole-files.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
});
const output = join(PROJECT_ROOT, 'dist', 'mutate');
for (const area of AREAS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const began = process.cpuUsage();
  const { all, results } = await (area.sources.every((file) => file.endsWith('.ts'))
    ? tryTypeScript
    : tryWholeFiles)(area, {
    sample: Number(values.sample),
    seed: Number(values.seed),
    log: (line) => console.error(line),
  });
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, `${area.name}.json`), JSON.stringify(results, undefined, 2));
  const noticed = results.filter(({ noticedBy }) => noticedBy !== undefined).length;
  for (const { mutant, noticedBy } of results) {
    if (noticedBy === undefined) {
      console.log(`${mutant.file}:${mutant.line} ${mutant.kind}: ${mutant.before} → ${mutant.after}`);
    }
  }
  console.log(`${area.name}: ${noticed} of ${results.length} noticed (sampled from ${all})`);
  console.error(`${Math.round(process.cpuUsage(began).user / 1e6)} s of this process`);
}
process.exit(0);
