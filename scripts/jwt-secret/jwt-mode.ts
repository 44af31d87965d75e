import type { EngineSettings } from '@latchkey/core/engine-settings';
import { LatchkeyError } from '@latchkey/core/errors';
import { jwtModeProblem } from '@latchkey/identity/providers/engine-auth';
import type { TrustedProvider } from './trusted-providers.ts';

/**
 * Refuses settings with which Hasura, which sees an id and not whose it is, would take one person for another.
 *
 * @throws LatchkeyError `configuration-invalid`
 */
export function checkJwtMode(settings: EngineSettings, providers: readonly TrustedProvider[]): void {
  if (settings.HASURA_GRAPHQL_AUTH_HOOK !== undefined) return;
  const problem = jwtModeProblem(providers);
  if (problem !== undefined) throw new LatchkeyError('configuration-invalid', problem);
}
