import { statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/** The names of the Lambda functions, without their prefix `latchkey-`. */
export const TRIGGERS = ['pre-token-generation', 'forward-sign-in', 'forward-event'] as const;
export type Trigger = (typeof TRIGGERS)[number];

const PROJECT_ROOT = resolve(import.meta.dirname, '..', '..', '..');

/** Where `npm run build:triggers` puts each function's folder. */
const TRIGGERS_FOLDER = join(PROJECT_ROOT, 'dist', 'cognito-triggers');

/** More than half of each bundle would be zod's messages in fifty languages; it speaks English here. */
const ENGLISH_ALONE: Plugin = {
  name: 'english-alone',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

/**
 * Bundles each handler of services/cognito-triggers into one file that needs nothing beside it, for
 * Lambda's runtime nodejs24.x with the handler `index.handler`.
 *
 * @returns the path of each file
 */
export async function buildTriggers(folder: string = TRIGGERS_FOLDER): Promise<Record<Trigger, string>> {
  const { build } = await import('esbuild');
  await build({
    entryPoints: TRIGGERS.map((name) => ({
      in: join(import.meta.dirname, 'handlers', `${name}.ts`),
      // A folder each, so that each can be zipped as it is.
      out: join(name, 'index'),
    })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minify: true,
    plugins: [ENGLISH_ALONE],
    // Without it, whatever ends up in CloudWatch has lost the names of its functions.
    keepNames: true,
    logLevel: 'warning',
  });
  return triggerFiles(folder);
}

/** Where {@link buildTriggers} puts each function's file. */
export function triggerFiles(folder: string): Record<Trigger, string> {
  return {
    'pre-token-generation': join(folder, 'pre-token-generation', 'index.mjs'),
    'forward-sign-in': join(folder, 'forward-sign-in', 'index.mjs'),
    'forward-event': join(folder, 'forward-event', 'index.mjs'),
  };
}

if (import.meta.main) {
  const files = await buildTriggers();
  for (const file of Object.values(files)) {
    console.log(`${relative(PROJECT_ROOT, file)}  ${Math.round(statSync(file).size / 1000)} KB`);
  }
}
