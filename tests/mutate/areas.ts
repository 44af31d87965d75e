import { matchesGlob, relative, resolve } from 'node:path';

/** What is mutated, and which tests are asked. Unit tests come first, whatever their place in the list. */
export type Area = { name: string; sources: string[]; tests: string[] };

const IDENTITY = 'services/identity';
const ENGINE = 'packages/engine';

export const AREAS: readonly Area[] = [
  {
    name: 'engine-permissions',
    sources: [`${ENGINE}/src/permissions/*.ts`],
    tests: [
      `${ENGINE}/test/{permissions,schema}/*.test.ts`,
      `${ENGINE}/test/execute/{mutation-permissions,remote-conditions,row-commands}.*.test.ts`,
    ],
  },
  {
    name: 'engine-sql',
    sources: [`${ENGINE}/src/sql/*.ts`],
    tests: [
      `${ENGINE}/test/permissions/*.test.ts`,
      `${ENGINE}/test/execute/{*-shapes,mutation-run,nested-insert,read-rules,remote-joins,spatial}.*.test.ts`,
    ],
  },
  {
    name: 'auth',
    sources: [`${IDENTITY}/src/auth/*.ts`],
    tests: [
      `${IDENTITY}/test/auth/*.test.ts`,
      `${IDENTITY}/test/http/{auth-hook,trust,actions,app}.*test.ts`,
    ],
  },
  {
    name: 'verification',
    sources: [`${IDENTITY}/src/providers/{jwt,key-source}.ts`, `${IDENTITY}/src/providers/*/verify*.ts`],
    tests: [
      `${IDENTITY}/test/providers/{,*/}{key-source,verify,engine-auth}*.test.ts`,
      `${IDENTITY}/test/auth/*.test.ts`,
    ],
  },
  {
    name: 'sync',
    sources: [`${IDENTITY}/src/sync/*.ts`],
    tests: [`${IDENTITY}/test/sync/*.test.ts`, `${IDENTITY}/test/http/jobs.*test.ts`],
  },
  { name: 'triggers', sources: ['migrations/default/*/up.sql'], tests: ['tests/migrations/*.test.ts'] },
  {
    name: 'filters',
    sources: ['metadata/databases/default/tables/public_*.yaml'],
    tests: ['tests/security/row-filters.test.ts'],
  },
];

/**
 * @param argument the name of an area, or the path of a file or folder: of an area, its tests are asked; of any other
 *   package, all of the package's own
 */
export function areaOf(argument: string, root: string): Area {
  const named = AREAS.find(({ name }) => name === argument);
  if (named !== undefined) return named;
  const path = relative(root, resolve(argument));
  const sources = /\.\w+$/.test(path) ? [path] : [`${path}/*.ts`];
  const name = path.replaceAll(/\W+/g, '-');
  const around = AREAS.find((area) => area.sources.some((pattern) => matchesGlob(sources[0] ?? '', pattern)));
  if (around !== undefined) return { name, sources, tests: around.tests };
  const [home] = /^(?:packages|services)\/[^/]+|^scripts/.exec(path) ?? [];
  if (home === undefined)
    throw new Error(
      `${argument} is neither an area (${AREAS.map((area) => area.name).join(', ')}) nor in a package.`,
    );
  return { name, sources, tests: [`${home}/test/**/*.test.ts`] };
}
