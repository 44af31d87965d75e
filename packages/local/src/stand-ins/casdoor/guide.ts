import type { StandInGuide } from '#stand-ins/core/provider.ts';

/** What to do with the local Casdoor once it runs. */
export function casdoorGuide({ url }: { readonly url: string }): StandInGuide {
  return {
    name: 'Local Casdoor',
    what: 'keys, tokens, users, API',
    signUp: [
      'Sign up a user; Casdoor tells the service by a webhook, and the service reads them back.',
      `curl -s ${url}/sign-up -d email=grace@example.com -d name=Grace`,
    ],
    token: ['Get their token.', `TOKEN=$(curl -s '${url}/token?user=grace@example.com&format=JWT-Empty')`],
  };
}
