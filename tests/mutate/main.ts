/**
 * `npm run mutate [-- <area or path>…] [--sample <n>] [--seed <n>] [--unit]`: breaks the sources in small ways, one at a time,
 * and lists what no test notices (docs/mutation.md). Everything happens in copies under `dist/mutate/`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT } from '@latchkey/scripts/environment';
import { AREAS, areaOf } from './areas.ts';
import { type Result, tryTypeScript } from './typescript.ts';
import { tryWholeFiles } from './whole-files.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    unit: { type: 'boolean', default: false },
  },
});
const output = join(PROJECT_ROOT, 'dist', 'mutate');
mkdirSync(output, { recursive: true });
const areas = positionals.length === 0 ? AREAS : positionals.map((one) => areaOf(one, PROJECT_ROOT));
for (const area of areas) {
  const isTypeScript = area.sources.every((file) => file.endsWith('.ts'));
  const { all, results } = await (isTypeScript ? tryTypeScript : tryWholeFiles)(area, {
    sample: Number(values.sample),
    seed: Number(values.seed),
    unitOnly: values.unit,
    log: (line) => console.error(line),
  });
  writeFileSync(join(output, `${area.name}.json`), JSON.stringify(results, undefined, 2));
  const unnoticed = results.filter(({ noticedBy }) => noticedBy === undefined);
  for (const result of unnoticed) console.log(describe(result));
  const share = Math.round((1 - unnoticed.length / results.length) * 100);
  console.log(
    `${area.name}: ${results.length - unnoticed.length} of ${results.length} noticed (${share} %), drawn from ${all}`,
  );
}
// Vitest's own server would keep the process.
process.exit(0);

function describe({ mutant }: Result): string {
  return `${mutant.file}:${mutant.line} ${mutant.kind}: ${mutant.before}${mutant.after === '' ? '' : ` → ${mutant.after}`}`;
}
