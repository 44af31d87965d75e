import { LatchkeyError } from '@latchkey/core/errors';
import type { ProviderName } from '@latchkey/identity/core/records';
import type { HasuraClient } from '@latchkey/identity/hasura/client';
import {
  AdoptionProvidersDocument,
  DistrustForAdoptionDocument,
  TrustForAdoptionDocument,
} from '@latchkey/identity/hasura/generated/documents';
import { definitionOf, PROVIDER_NAMES } from '@latchkey/identity/providers/registry';

/** Whose word of a verified address opens accounts from now on, and whose does not. */
export interface Trust {
  readonly trusted: readonly ProviderName[];
  readonly distrusted: readonly ProviderName[];
}

/**
 * @returns undefined where neither is given
 * @throws LatchkeyError `configuration-invalid`
 */
export function readTrust(trust: readonly string[], distrust: readonly string[]): Trust | undefined {
  const names = (flag: string, given: readonly string[]) =>
    given.map((text) => {
      const name = PROVIDER_NAMES.find((one) => one === text);
      if (name !== undefined) return name;
      throw new LatchkeyError(
        'configuration-invalid',
        `--${flag} takes ${PROVIDER_NAMES.join(', ')}, not ${text}.`,
      );
    });
  if (trust.length + distrust.length === 0) return undefined;
  const [trusted, distrusted] = [names('trust', trust), names('distrust', distrust)];
  const both = trusted.find((name) => distrusted.includes(name));
  if (both === undefined) return { trusted, distrusted };
  throw new LatchkeyError('configuration-invalid', `Either --trust or --distrust ${both}, not both.`);
}

export async function chooseTrusted(
  engine: Pick<HasuraClient, 'request'>,
  { trusted, distrusted }: Trust,
): Promise<void> {
  // First whose word does not count any more: no account is to be opened by it meanwhile.
  for (const provider of distrusted) await engine.request(DistrustForAdoptionDocument, { provider });
  for (const provider of trusted) await engine.request(TrustForAdoptionDocument, { provider });
  for (const name of trusted) {
    const { addressCaution } = definitionOf(name)?.facts ?? {};
    if (addressCaution !== undefined) console.error(addressCaution);
  }
  const { identity_adoption_providers: all } = await engine.request(AdoptionProvidersDocument, {});
  const names = all.map(({ provider }) => provider).join(', ');
  console.log(`Accounts are opened by the word of ${names === '' ? 'nobody' : names}.`);
}
