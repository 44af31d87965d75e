import type { StandInGuide } from '#stand-ins/core/provider.ts';

/** What to do with the local Cognito once it runs. */
export function cognitoGuide({
  url,
  userPoolId,
}: {
  readonly url: string;
  readonly userPoolId: string;
}): StandInGuide {
  return {
    name: 'Local Cognito',
    what: `user pool ${userPoolId}, its API, its Lambda functions`,
    signUp: [
      'Sign up a user; a Lambda function tells the service, which reads them back.',
      `curl -s ${url}/sign-up -d email=linus@example.com -d given_name=Linus`,
    ],
    token: [
      'Sign them in; the token is good for a day.',
      `TOKEN=$(curl -s '${url}/token?user=linus@example.com')`,
    ],
  };
}
