import type { Stack } from './stack.ts';

type Guide = {
  /** What people call the stand-in, and what of it can be reached. */
  name: string;
  what: string;
  url: string;
  /** The words and commands that sign somebody up and get their token. */
  signUp: readonly [words: string, command: string];
  token: readonly [words: string, command: string];
};

/** What is printed once everything is up: where it all is, and commands to paste. */
export function welcome(stack: Stack, seconds: number, stateDirectory: string): string {
  const { engine, service, postgres } = stack;
  const guides = guidesOf(stack);
  const rows = [
    ['Hasura', engine.url, engine.description],
    [
      'Identity service',
      service.url,
      `webhooks at ${Object.keys(stack.providers)
        .map((name) => `/webhooks/${name}`)
        .join(', ')}`,
    ],
    ...guides.map(({ name, url, what }) => [name, url, what]),
    ...(postgres === undefined
      ? [['PostgreSQL', 'as LATCHKEY_DATABASE_URL says', '']]
      : [
          [
            'PostgreSQL',
            `127.0.0.1:${postgres.port}`,
            `${postgres.version}, data kept in ${stateDirectory}/`,
          ],
        ]),
  ].map(([name = '', where = '', what = '']) => `  ${name.padEnd(18)}${where.padEnd(24)}${what}`.trimEnd());

  return `
Latchkey is running, ready after ${seconds.toFixed(1)} s.

${rows.join('\n')}
${(postgres?.notes ?? []).map((note) => `\n  ${note}\n`).join('')}
${guides.map((guide) => commands(guide, engine.url, guides.length > 1)).join('\n')}
The admin secret is in ${stateDirectory}/admin-secret. Ctrl-C ends everything.
`;
}

function commands({ name, signUp, token }: Guide, engineUrl: string, isOneOfSeveral: boolean): string {
  return `${isOneOfSeveral ? `${name}: paste` : 'Paste'} these, one after the other:

  1. ${signUp[0]}

     ${signUp[1]}

  2. ${token[0]}

     ${token[1]}

  3. Ask Hasura with it: of all users, they see themselves.

     curl -s ${engineUrl}/v1/graphql -H "Authorization: Bearer $TOKEN" -d '{"query":"{ users { id email name } }"}'
`;
}

function guidesOf({ providers: { clerk, casdoor, cognito } }: Stack): Guide[] {
  return [
    clerk && {
      name: 'Local Clerk',
      what: 'keys, tokens, users, Backend API',
      url: clerk.url,
      signUp: [
        'Sign up a user; Clerk tells the service of them by a signed webhook.',
        `curl -s ${clerk.url}/sign-up -d email=ada@example.com -d first_name=Ada`,
      ] as const,
      token: [
        'Get their token, good for an hour.',
        `TOKEN=$(curl -s '${clerk.url}/token?user=ada@example.com&lifetime=3600')`,
      ] as const,
    },
    casdoor && {
      name: 'Local Casdoor',
      what: 'keys, tokens, users, API',
      url: casdoor.url,
      signUp: [
        'Sign up a user; Casdoor tells the service by a webhook, and the service reads them back.',
        `curl -s ${casdoor.url}/sign-up -d email=grace@example.com -d name=Grace`,
      ] as const,
      token: [
        'Get their token.',
        `TOKEN=$(curl -s '${casdoor.url}/token?user=grace@example.com&format=JWT-Empty')`,
      ] as const,
    },
    cognito && {
      name: 'Local Cognito',
      what: `user pool ${cognito.userPoolId}, its API, its Lambda functions`,
      url: cognito.url,
      signUp: [
        'Sign up a user; a Lambda function tells the service, which reads them back.',
        `curl -s ${cognito.url}/sign-up -d email=linus@example.com -d given_name=Linus`,
      ] as const,
      token: [
        'Sign them in; the token is good for a day.',
        `TOKEN=$(curl -s '${cognito.url}/token?user=linus@example.com')`,
      ] as const,
    },
  ].filter((guide) => guide !== undefined);
}
