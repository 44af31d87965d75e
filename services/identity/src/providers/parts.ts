import { type ErrorCode, LatchkeyError } from '@latchkey/core/errors';
import type { Directory, Provider } from './provider.ts';
import { definitionOf } from './registry.ts';

/** What cannot be done without a part of a provider. */
const WITHOUT = {
  webhooks: 'sends no webhooks',
  directory: 'has no directory, so nobody can be listed or looked up there',
  accounts: 'has no accounts that can be changed from here',
} as const;
export type Part = keyof typeof WITHOUT;

/** That a provider has no such part, and why. */
export function withoutPart({ name }: Pick<Provider, 'name'>, part: Part, code: ErrorCode): LatchkeyError {
  const { onlyTokens } = definitionOf(name)?.facts ?? {};
  const why = onlyTokens === undefined ? '' : `: ${onlyTokens}`;
  return new LatchkeyError(code, `${name} ${WITHOUT[part]}${why}.`);
}

/** A provider whose people can be listed. */
export type Listed = Pick<Provider, 'name'> & { readonly directory: Directory };

export function hasDirectory<P extends Pick<Provider, 'name' | 'directory'>>(
  provider: P,
): provider is P & { readonly directory: Directory } {
  return provider.directory !== undefined;
}
