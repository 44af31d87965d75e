import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type Environment, environment, PROJECT_ROOT } from '@latchkey/local/environment';

export { type Environment, environment, PROJECT_ROOT };

/**
 * {@link environment}, with what is not set taken from the `.env` of the project, as Docker Compose does. Says so on
 * standard error, once, if other users of this machine can read that file.
 */
export function environmentWithDotEnv(file = join(PROJECT_ROOT, '.env')): Environment {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return environment;
  }
  warnIfOthersCanRead(file);
  const fromFile = Object.entries(parseEnv(text)).filter(([, value]) => value !== '');
  return { ...Object.fromEntries(fromFile), ...environment };
}

const OTHERS_MAY_READ = 0o044;
const warned = new Set<string>();

function warnIfOthersCanRead(file: string): void {
  // Windows has other rights than these.
  if (process.platform === 'win32' || warned.has(file)) return;
  if ((statSync(file).mode & OTHERS_MAY_READ) === 0) return;
  warned.add(file);
  console.error(`latchkey: other users of this machine can read ${file}, which holds secrets: chmod 600 it.`);
}
