import type { CustomClaim } from '@latchkey/core/settings/claims';
import { settingsError } from '@latchkey/core/settings/fields';
import type { z } from 'zod';
import type { ProviderConfigMap, ProviderName } from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import type { EngineAuth, Provider } from './provider.ts';

/** Variables and their values, as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a provider's configuration takes from the service's own. */
export interface SettingsContext {
  /** Where Hasura reaches the service, without a trailing slash. */
  readonly serviceUrl: string;
  /** The users' attributes that become session variables. */
  readonly claims: readonly CustomClaim[];
}

/** What a provider works with besides its configuration. */
export interface ProviderContext {
  readonly stored: StoredState;
  /** The roles that a token may give besides `user`. */
  readonly allowedRoles: readonly string[];
  /** The users' attributes that become session variables. */
  readonly claims: readonly CustomClaim[];
}

/** A flag of `latchkey jwt-secret` that stands for a setting. */
export interface SettingFlag {
  readonly flag: string;
  readonly variable: string;
  readonly placeholder: string;
  readonly help: string;
  /** The variables that do not count any more where it is given. */
  readonly replaces?: readonly string[];
}

/** What shared code has to know of a provider: all definitions together are the table of it. */
export interface ProviderFacts {
  /** Who chooses the ids of its users, where somebody does: an id may be chosen to be another provider's. */
  readonly choosesIds?: string;
  /** What it calls the attribute of a claim; in a row it is in `users.metadata` by that name. */
  attributeOf(claim: CustomClaim): string;
  /**
   * Which of a user's organizations is the active one: that of the token (`claims`), or the one that is their
   * tenant; none if it is not given.
   */
  readonly activeOrganization?: 'claims' | 'tenant';
  /** Why it has tokens and no other part, where that is so; goes on after a colon. */
  readonly onlyTokens?: string;
  /** What to know before its word of a verified address opens accounts (docs/adoption.md), where that is much. */
  readonly addressCaution?: string;
}

/** What does the work. */
export interface ProviderCode<Name extends ProviderName> {
  create(config: ProviderConfigMap[Name], context: ProviderContext): Provider;
}

/** What a provider's folder says of it. It is light: what needs an SDK comes with `load`. */
interface Definition<Name extends ProviderName, Settings extends z.ZodObject> {
  readonly name: Name;
  /** What people call it. */
  readonly label: string;
  /** The page that tells how to set it up. */
  readonly guide: `docs/${string}.md`;
  /** Where what `engineAuth` says is to be entered: "Clerk's dashboard". */
  readonly screens: string;
  readonly settings: Settings;
  /** Any of these variables means that its tokens are to be trusted. */
  readonly signs: readonly (keyof z.infer<Settings> & string)[];
  readonly flags: readonly SettingFlag[];
  readonly facts: ProviderFacts;
  /**
   * @returns undefined where it is not set up
   * @throws LatchkeyError `configuration-invalid` where it is set up by half
   */
  config(env: z.infer<Settings>, context: SettingsContext): ProviderConfigMap[Name] | undefined;
  /**
   * How Hasura is made to trust it, which takes no secret.
   * @throws LatchkeyError `configuration-invalid`
   */
  engineAuth(env: z.infer<Settings>, context: SettingsContext): EngineAuth;
  load(): Promise<ProviderCode<Name>>;
}

/** A {@link Definition} whose settings are read from the environment. */
export interface ProviderDefinition<Name extends ProviderName = ProviderName>
  extends Pick<
    Definition<Name, z.ZodObject>,
    'name' | 'label' | 'guide' | 'screens' | 'flags' | 'facts' | 'load'
  > {
  readonly signs: readonly string[];
  /** The names of all variables that it reads. */
  readonly variables: readonly string[];
  /** What is wrong with its variables, each by itself. */
  issuesOf(environment: Environment): readonly z.core.$ZodIssue[];
  /** @see Definition.config */
  config(environment: Environment, context: SettingsContext): ProviderConfigMap[Name] | undefined;
  /** @see Definition.engineAuth */
  engineAuth(environment: Environment, context: SettingsContext): EngineAuth;
}

/** Defines a provider: its folder's `definition.ts` says all that shared code needs. */
export function defineProvider<const Name extends ProviderName, Settings extends z.ZodObject>(
  definition: Definition<Name, Settings>,
): ProviderDefinition<Name> {
  const { settings } = definition;
  const read = (environment: Environment): z.infer<Settings> => {
    const parsed = settings.safeParse(environment);
    if (!parsed.success) throw settingsError(parsed.error);
    return parsed.data;
  };
  return {
    ...definition,
    variables: Object.keys(settings.shape),
    issuesOf: (environment) => settings.safeParse(environment).error?.issues ?? [],
    config: (environment, context) => definition.config(read(environment), context),
    engineAuth: (environment, context) => definition.engineAuth(read(environment), context),
  };
}
