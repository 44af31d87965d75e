/** The engine the end-to-end suite is run against. */
export type Target = { kind: 'embedded' } | { kind: 'command'; command: string } | { kind: 'docker' };

/**
 * Reads which engine is meant: `LATCHKEY_ENGINE="<shell command>"` names a program,
 * `LATCHKEY_E2E=docker` the real images; without either it is the embedded one.
 *
 * @throws for settings that contradict one another, rather than choosing between them
 */
export function readTarget(environment: NodeJS.ProcessEnv = process.env): Target {
  const command = environment.LATCHKEY_ENGINE || undefined;
  const suite = environment.LATCHKEY_E2E || undefined;
  if (suite === undefined) return command === undefined ? { kind: 'embedded' } : { kind: 'command', command };
  if (suite !== 'docker') throw new Error(`LATCHKEY_E2E can only be docker, not ${suite}.`);
  if (command !== undefined || environment.LATCHKEY_DATABASE_URL) {
    throw new Error(
      'LATCHKEY_E2E=docker starts its own engine and database: unset LATCHKEY_ENGINE and LATCHKEY_DATABASE_URL.',
    );
  }
  return { kind: 'docker' };
}
