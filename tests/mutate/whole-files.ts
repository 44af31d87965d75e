/** Mutants that are whole files: SQL of migrations, YAML of the metadata. Tests read them anew each time. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Area } from './areas.ts';
import { changesOfMetadata } from './changes-metadata.ts';
import { changesOfSql, namesIn } from './changes-sql.ts';
import { type Mutant, sample, toMutant } from './mutant.ts';
import { startRunner } from './runner.ts';
import { createSandbox, removeSandbox } from './sandbox.ts';
import type { Options, Result } from './typescript.ts';

type FileMutant = Mutant & { text: string };

/** As tryTypeScript, with one run of the tests for each mutant, up to the first file that fails. */
export async function tryWholeFiles(
  area: Area,
  { sample: count, seed, log }: Options,
): Promise<{ all: number; results: Result[] }> {
  const root = createSandbox(area.name);
  const files = area.sources.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted();
  const mutants = numbered(
    files.every((file) => file.endsWith('.sql')) ? ofMigrations(root, files) : ofMetadata(root, files),
  );
  const chosen = sample(mutants, count, seed);
  log(`${area.name}: ${chosen.length} of ${mutants.length} mutants`);
  const runner = await startRunner(root);
  const results: Result[] = [];
  try {
    const tests = await quickestFirst(area.tests.flatMap((pattern) => globSync(pattern, { cwd: root })));
    for (const { text, ...mutant } of chosen) {
      const path = join(root, mutant.file);
      const original = readFileSync(path, 'utf8');
      writeFileSync(path, text);
      let noticedBy: string | undefined;
      for (const file of tests) {
        const [outcome] = await runner.run([file]);
        if (outcome?.passed === false) noticedBy = `${file} > ${outcome.failure}`;
        if (noticedBy !== undefined) break;
      }
      writeFileSync(path, original);
      results.push({ mutant, noticedBy });
      log(`${mutant.file}:${mutant.line} ${mutant.kind}: ${noticedBy ?? 'NOT NOTICED'}`);
    }
  } finally {
    await runner.close();
    removeSandbox(root);
  }
  return { all: mutants.length, results };

  async function quickestFirst(tests: readonly string[]): Promise<string[]> {
    const measured: { file: string; ms: number }[] = [];
    for (const file of tests) {
      const [outcome] = await runner.run([file]);
      if (outcome?.passed === true) measured.push({ file, ms: outcome.ms });
      else log(`${file} is left out: it fails without a mutant (${outcome?.failure})`);
    }
    return measured.toSorted((a, b) => a.ms - b.ms).map(({ file }) => file);
  }
}

const numbered = (mutants: readonly FileMutant[]): FileMutant[] =>
  mutants.map((mutant, index) => ({ ...mutant, id: index + 1 }));

function ofMetadata(root: string, files: readonly string[]): FileMutant[] {
  return files.flatMap((file) =>
    changesOfMetadata(readFileSync(join(root, file), 'utf8')).map((change) => ({
      id: 0,
      file,
      after: '',
      ...change,
    })),
  );
}

function ofMigrations(root: string, files: readonly string[]): FileMutant[] {
  const sources = files.map((file) => ({ file, source: readFileSync(join(root, file), 'utf8') }));
  // Of what is defined several times the last counts.
  const definedIn = new Map(
    sources.flatMap(({ file, source }) => namesIn(source).map((name) => [name, file])),
  );
  return sources.flatMap(({ file, source }) =>
    changesOfSql(source, (name) => definedIn.get(name) === file).map((change) => ({
      ...toMutant(0, file, source, change),
      text: source.slice(0, change.start) + change.after + source.slice(change.end),
    })),
  );
}
