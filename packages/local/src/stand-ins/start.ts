import type { Personas } from '#personas/index.ts';
import type { LocalProvider, StandIn, StandInAttempt, StandInGuide } from '#stand-ins/core/provider.ts';

/** The providers that there are stand-ins for: a folder each, and a line here. Only what is started is loaded. */
const STAND_INS = {
  clerk: async () => (await import('#stand-ins/clerk/index.ts')).standIn,
  casdoor: async () => (await import('#stand-ins/casdoor/index.ts')).standIn,
  cognito: async () => (await import('#stand-ins/cognito/index.ts')).standIn,
  oidc: async () => (await import('#stand-ins/oidc/index.ts')).standIn,
};

type Table = typeof STAND_INS;
export type StandInName = keyof Table;

/** Whether there is a stand-in for a provider. */
export function hasStandIn(name: string): name is StandInName {
  return Object.hasOwn(STAND_INS, name);
}

/** The stand-ins that run, by name. */
export type LocalProviders = {
  readonly [Name in StandInName]?: Awaited<ReturnType<Awaited<ReturnType<Table[Name]>>['start']>>;
};

/** One attempt of a stand-in to deliver a webhook. */
export interface DeliveryAttempt extends StandInAttempt {
  provider: StandInName;
}

export interface LocalProvidersOptions {
  /** 0 for any free port, as where none is given. */
  ports?: Partial<Record<StandInName, number>>;
  /** Where they keep what they hold; nothing is kept without it. */
  stateDirectory?: string | undefined;
  /** Who has signed up at each of them when they start. */
  personas?: Personas | undefined;
  onAttempt?: (attempt: DeliveryAttempt) => void;
  onLine?: (program: string, line: string) => void;
  /** Told of each as soon as it runs, so that it can be ended whatever comes after; and what to do with it. */
  onStarted: (provider: LocalProvider, guide: StandInGuide) => void;
}

/** Starts stand-ins for these providers, side by side. Only their code is loaded. */
export async function startLocalProviders(
  names: readonly StandInName[],
  { ports = {}, stateDirectory, personas, onAttempt, onLine, onStarted }: LocalProvidersOptions,
): Promise<LocalProviders> {
  const starting = names.map(async (name) => {
    const standIn = await STAND_INS[name]();
    const started = await standIn.start({
      port: ports[name] ?? 0,
      stateDirectory,
      personas,
      onAttempt: (attempt) => onAttempt?.({ provider: name, ...attempt }),
      onLine: (line) => onLine?.(name, line),
    });
    onStarted(started, guideOf(standIn, started));
    return [name, started] as const;
  });
  // If one fails, the others must be known before they can be ended.
  await Promise.allSettled(starting);
  return Object.fromEntries(await Promise.all(starting));
}

/** A stand-in is asked about what it has started itself. */
function guideOf<Provider extends LocalProvider>(
  standIn: Pick<StandIn<Provider>, 'guide'>,
  started: Provider,
): StandInGuide {
  return standIn.guide(started);
}
