import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of the project: where package.json, metadata/ and migrations/ are. */
export const PROJECT_ROOT: string = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * The environment the commands were started in. No other file below scripts/ reads process.env.
 * A variable that is set to nothing counts as not set: Docker Compose passes such ones on.
 */
export const environment: Environment = Object.fromEntries(
  Object.entries(process.env).filter(([, value]) => value !== ''),
);

/** The same, with what is not set taken from the `.env` of the project, as Docker Compose does. */
export function environmentWithDotEnv(): Environment {
  let text: string;
  try {
    text = readFileSync(join(PROJECT_ROOT, '.env'), 'utf8');
  } catch {
    return environment;
  }
  const fromFile = Object.entries(parseEnv(text)).filter(([, value]) => value !== '');
  return { ...Object.fromEntries(fromFile), ...environment };
}
