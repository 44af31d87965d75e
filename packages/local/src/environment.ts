import { resolve } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of the project: where package.json, metadata/ and migrations/ are. */
export const PROJECT_ROOT: string = resolve(import.meta.dirname, '..', '..', '..');

/**
 * The environment the program was started in; no other file of this package reads process.env.
 * A variable that is set to nothing counts as not set: Docker Compose passes such ones on.
 */
export const environment: Environment = Object.fromEntries(
  Object.entries(process.env).filter(([, value]) => value !== ''),
);
