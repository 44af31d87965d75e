import { engineAuthOf, jwtModeProblem } from '#providers/engine-auth.ts';
import type { Registry } from '#providers/registry.ts';

/** Why Hasura must not trust the providers that are set up by its JWT mode; undefined where it may. */
export function jwtModeProblemOf(providers: Registry): string | undefined {
  const trusted = [...providers.values()].flatMap((provider) => {
    const auth = engineAuthOf(provider.tokens);
    return auth === undefined ? [] : [{ name: provider.name, auth }];
  });
  return jwtModeProblem(trusted);
}
