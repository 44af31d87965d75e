import { EDITIONS, type EngineSettings, engineSettings, hookSettings } from '@latchkey/core/engine-settings';
import { LatchkeyError } from '@latchkey/core/errors';
import type { SettingFlag } from '@latchkey/identity/providers/definition';
import { PROVIDER_NAMES, PROVIDERS } from '@latchkey/identity/providers/registry';
import { defineCommand, type Options, type Values } from './command.ts';
import { type Environment, environmentWithDotEnv } from './environment.ts';
import { envLine, writeEnvFile } from './jwt-secret/env-file.ts';
import { checkJwtMode } from './jwt-secret/jwt-mode.ts';
import {
  chooseProviders,
  readServiceUrl,
  type TrustedProvider,
  trust,
} from './jwt-secret/trusted-providers.ts';

/** The flags that stand for a setting of the service. */
const SETTING_FLAGS: readonly SettingFlag[] = [
  ...PROVIDERS.flatMap(({ flags }) => flags),
  {
    flag: 'service-url',
    variable: 'LATCHKEY_SERVICE_URL',
    placeholder: 'url',
    help: 'Where Hasura reaches the identity service\n(with the compose file: http://identity:8081).',
  },
];
const settingOptions: Options = Object.fromEntries(
  SETTING_FLAGS.map(({ flag, placeholder, help }) => [flag, { type: 'string', placeholder, help } as const]),
);
const eitherOf = new Intl.ListFormat('en-GB', { type: 'disjunction' });

const options = {
  provider: {
    type: 'string',
    placeholder: 'name',
    multiple: true,
    completions: PROVIDER_NAMES,
    help: `${eitherOf.format(PROVIDER_NAMES)}; several with commas or one by one\n(default: those that are set up).`,
  },
  edition: {
    type: 'string',
    placeholder: EDITIONS.join('|'),
    choices: EDITIONS,
    help: 'The edition of Hasura (default ce).',
  },
  strict: { type: 'boolean', help: 'Have the identity service verify every token, also of one provider.' },
  ...settingOptions,
  write: {
    type: 'string',
    placeholder: 'file',
    help: 'Put the setting into this .env file instead, in place of the one\nthat stands there; nobody but you can read the file then.',
  },
  env: { type: 'boolean', help: 'Print lines for .env, which shells and Docker Compose read alike.' },
  json: { type: 'boolean', help: 'Print an object of variables and values.' },
  quiet: { type: 'boolean', short: 'q', help: 'Print the settings alone.' },
} as const;

export const jwtSecret = defineCommand({
  name: 'jwt-secret',
  description: `
Prints the setting with which Hasura trusts the tokens of your providers, and what to paste into the
providers' screens. The setting goes to standard output, the rest beside it; or into the file that Docker
Compose reads: npx latchkey jwt-secret --write .env

One provider is trusted by HASURA_GRAPHQL_JWT_SECRET. Several are by HASURA_GRAPHQL_JWT_SECRETS, which
Enterprise and Cloud take, and on the Community Edition through the identity service, by
HASURA_GRAPHQL_AUTH_HOOK. What Hasura by itself would mix up, such as several organizations of Casdoor, is
refused but with --strict. What is not given here is taken from the settings of the identity service in
the environment or .env. Nothing is fetched, and no secret is needed.`,
  options,
  async run(values) {
    const environment = withFlags(environmentWithDotEnv(), values);
    const providers = chooseProviders(values.provider ?? [], environment).map((name) =>
      trust(name, environment),
    );
    const serviceUrl = readServiceUrl(environment);
    const settings = engineSettings(
      providers.map(({ auth }) => auth.jwtSecret),
      { edition: values.edition ?? 'ce', strict: values.strict ?? false, serviceUrl },
    );
    checkJwtMode(settings, providers);
    const text = print(settings, values);
    if (values.write === undefined) console.log(text);
    else await writeEnvFile(values.write, settings, SETTINGS_OF_TRUST);
    if (values.quiet !== true) console.error(explain(settings, providers, serviceUrl, values.write));
    return 0;
  },
});

function withFlags(environment: Environment, values: Readonly<Record<string, unknown>>): Environment {
  const given = SETTING_FLAGS.flatMap(({ flag, ...setting }) => {
    const value = values[flag];
    return typeof value === 'string' ? [{ ...setting, value }] : [];
  });
  const replaced = given.flatMap(({ replaces = [] }) => replaces);
  return {
    ...environment,
    ...Object.fromEntries(replaced.map((variable) => [variable, undefined])),
    ...Object.fromEntries(given.map(({ variable, value }) => [variable, value])),
  };
}

function print(settings: EngineSettings, { env, json, write }: Values<typeof options>): string {
  if ([env === true, json === true, write !== undefined].filter(Boolean).length > 1) {
    throw new LatchkeyError('configuration-invalid', 'Give one of --write, --env and --json, not several.');
  }
  const entries = Object.entries(settings);
  if (json === true) return JSON.stringify(settings, null, 2);
  const [only, ...others] = entries;
  if (env !== true && only !== undefined && others.length === 0) return only[1];
  return entries.map(([name, value]) => envLine(name, value)).join('\n');
}

/** Hasura does not start where two of these are set, not even to nothing. */
const EXCLUSIVE = ['HASURA_GRAPHQL_JWT_SECRET', 'HASURA_GRAPHQL_JWT_SECRETS', 'HASURA_GRAPHQL_AUTH_HOOK'];
/** All that says how Hasura trusts tokens: what is written takes the place of all of it. */
const SETTINGS_OF_TRUST = [...EXCLUSIVE, ...Object.keys(hookSettings(''))];

function explain(
  settings: EngineSettings,
  providers: readonly TrustedProvider[],
  serviceUrl: string,
  written: string | undefined,
): string {
  const isServiceAsked = Object.values(settings).some((value) => value.includes(serviceUrl));
  const [variable = ''] = Object.keys(settings);
  const isHook = variable === 'HASURA_GRAPHQL_AUTH_HOOK';
  const others = EXCLUSIVE.filter((name) => name !== variable);
  const names = Object.keys(settings).join(', ');
  return [
    '',
    written === undefined
      ? `Set ${names} of Hasura; leave out ${others.join(' and ')}.`
      : `${names} of Hasura is in ${written} now, and ${others.join(' and ')} are not.`,
    ...(isServiceAsked
      ? [`Hasura will ask the identity service at ${serviceUrl}; --service-url names another address.`]
      : []),
    ...(isHook ? [] : providers.flatMap(({ auth: { notes = [] } }) => notes)),
    ...providers.map((provider) => setupText(provider, isHook)),
  ].join('\n');
}

/** @param isHook whether the service verifies the tokens; Hasura itself trusts the first issuer alone */
function setupText({ screens, auth: { issuers, setup } }: TrustedProvider, isHook: boolean): string {
  const trusted = isHook ? issuers.join(', ') : issuers[0];
  const steps = setup.flatMap(({ where, what, paste }, index) => [
    '',
    `${index + 1}. ${where}`,
    `   ${what}`,
    ...(paste === undefined ? [] : ['', ...paste.split('\n').map((line) => `     ${line}`)]),
  ]);
  return ['', `Hasura will trust tokens of ${trusted}. In ${screens}:`, ...steps].join('\n');
}
