import { LatchkeyError } from '@latchkey/core/errors';
import type { ProviderName } from '#core/records.ts';
import type { EngineAuth, Tokens } from './provider.ts';
import { definitionOf } from './registry.ts';

/** How Hasura is made to trust a provider; undefined where its issuer is not configured, and nobody does. */
export function engineAuthOf(tokens: Tokens): EngineAuth | undefined {
  try {
    return tokens.engineAuth();
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'configuration-invalid') return undefined;
    throw error;
  }
}

/**
 * Why Hasura must not trust these providers by its JWT mode, which sees an id and not whose it is; undefined
 * where it may.
 */
export function jwtModeProblem(
  trusted: readonly { readonly name: ProviderName; readonly auth: EngineAuth }[],
): string | undefined {
  const needed = trusted.find(({ auth }) => auth.needsHook !== undefined);
  if (needed !== undefined) return needed.auth.needsHook;
  const chooser = trusted.find(({ name }) => definitionOf(name)?.facts.choosesIds !== undefined);
  const others = trusted.flatMap(({ name }) => (name === chooser?.name ? [] : [name]));
  if (chooser === undefined || others.length === 0) return undefined;
  return `${definitionOf(chooser.name)?.facts.choosesIds}, those of ${others.join(' and ')} too, and Hasura’s JWT mode sees the id alone: have Hasura ask the identity service (npx latchkey jwt-secret --strict).`;
}
