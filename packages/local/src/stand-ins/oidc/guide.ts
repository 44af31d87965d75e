import type { StandInGuide } from '#stand-ins/core/provider.ts';

/** What to do with the local issuer once it runs. */
export function oidcGuide({ url }: { readonly url: string }): StandInGuide {
  return {
    name: 'Local OIDC issuer',
    what: 'discovery, keys, tokens, userinfo',
    signUp: [
      'Sign up a user; the service is told by nobody.',
      `curl -s ${url}/sign-up -d email=alan@example.com -d given_name=Alan`,
    ],
    token: [
      'Get their token, good for an hour.',
      `TOKEN=$(curl -s '${url}/token?user=alan@example.com&lifetime=3600')`,
    ],
    sync: ['Bring their row: the service asks the issuer who they are.', 'mutation { syncMe { id } }'],
  };
}
