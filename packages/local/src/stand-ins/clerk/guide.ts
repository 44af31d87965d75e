import type { StandInGuide } from '#stand-ins/core/provider.ts';

/** What to do with the local Clerk once it runs. */
export function clerkGuide({ url }: { readonly url: string }): StandInGuide {
  return {
    name: 'Local Clerk',
    what: 'keys, tokens, users, Backend API',
    signUp: [
      'Sign up a user; Clerk tells the service of them by a signed webhook.',
      `curl -s ${url}/sign-up -d email=ada@example.com -d first_name=Ada`,
    ],
    token: [
      'Get their token, good for an hour.',
      `TOKEN=$(curl -s '${url}/token?user=ada@example.com&lifetime=3600')`,
    ],
  };
}
