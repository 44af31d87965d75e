import { definitionOf } from '@latchkey/identity/providers/registry';
import type { RunningGuide, Stack } from './stack.ts';

/** What is printed once everything is up: where it all is, and commands to paste. */
export function welcome(stack: Stack, seconds: number, stateDirectory: string): string {
  const { engine, service, postgres, guides } = stack;
  const rows = [
    ['Hasura', engine.url, engine.description],
    ['Identity service', service.url, webhooksOf(stack)],
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

function commands(
  { name, signUp, token, sync }: RunningGuide,
  engineUrl: string,
  isOneOfSeveral: boolean,
): string {
  const ask = (query: string) =>
    `curl -s ${engineUrl}/v1/graphql -H "Authorization: Bearer $TOKEN" -d '${JSON.stringify({ query })}'`;
  const steps = [
    signUp,
    token,
    ...(sync === undefined ? [] : [[sync[0], ask(sync[1])] as const]),
    ['Ask Hasura with it: of all users, they see themselves.', ask('{ users { id email name } }')] as const,
  ].map(([words, command], index) => `  ${index + 1}. ${words}\n\n     ${command}\n`);
  return `${isOneOfSeveral ? `${name}: paste` : 'Paste'} these, one after the other:\n\n${steps.join('\n')}`;
}

function webhooksOf({ providers }: Stack): string {
  const paths = Object.keys(providers).flatMap((name) =>
    definitionOf(name)?.facts.onlyTokens === undefined ? [`/webhooks/${name}`] : [],
  );
  return paths.length === 0 ? 'auth hook and actions' : `webhooks at ${paths.join(', ')}`;
}
