import { join } from 'node:path';
import type { LocalCasdoor } from '#stand-ins/casdoor/local-casdoor.ts';
import type { LocalClerk } from '#stand-ins/clerk/local-clerk.ts';
import type { LocalCognito } from '#stand-ins/cognito/local-cognito.ts';
import type { LocalProvider } from '#stand-ins/core/provider.ts';

/** The providers that there are stand-ins for. */
export const STAND_INS = ['clerk', 'casdoor', 'cognito'] as const;
export type StandInName = (typeof STAND_INS)[number];

/** The stand-ins that run, by name. */
export type LocalProviders = {
  readonly clerk?: LocalClerk;
  readonly casdoor?: LocalCasdoor;
  readonly cognito?: LocalCognito;
};

/** One attempt of a stand-in to deliver a webhook. */
export type DeliveryAttempt = {
  provider: StandInName;
  /** The type of the event. */
  type: string;
  number: number;
  /** Undefined where nobody answered. */
  status: number | undefined;
  delivered: boolean;
  willRetry: boolean;
};

export type LocalProvidersOptions = {
  /** 0 for any free port, as where none is given. */
  ports?: Partial<Record<StandInName, number>>;
  /** Where they keep what they hold; nothing is kept without it. */
  stateDirectory?: string | undefined;
  onAttempt?: (attempt: DeliveryAttempt) => void;
  onLine?: (program: string, line: string) => void;
  /** Told of each as soon as it runs, so that it can be ended whatever comes after. */
  onStarted: (provider: LocalProvider) => void;
};

/** Starts stand-ins for these providers, side by side. Only their code is loaded. */
export async function startLocalProviders(
  names: readonly StandInName[],
  { ports = {}, stateDirectory, onAttempt, onLine, onStarted }: LocalProvidersOptions,
): Promise<LocalProviders> {
  const track = async <T extends LocalProvider>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    onStarted(started);
    return started;
  };
  const starting = {
    clerk: async () => {
      const { startLocalClerk } = await import('#stand-ins/clerk/local-clerk.ts');
      return track(
        startLocalClerk({
          port: ports.clerk ?? 0,
          ...(stateDirectory !== undefined && { stateFile: join(stateDirectory, 'clerk.json') }),
          onAttempt: ({ message, ...attempt }) =>
            onAttempt?.({ provider: 'clerk', type: message.type, ...attempt }),
        }),
      );
    },
    casdoor: async () => {
      const { startLocalCasdoor } = await import('#stand-ins/casdoor/local-casdoor.ts');
      return track(
        startLocalCasdoor({
          port: ports.casdoor ?? 0,
          ...(stateDirectory !== undefined && { stateFile: join(stateDirectory, 'casdoor.json') }),
          onAttempt: ({ record, ...attempt }) =>
            onAttempt?.({ provider: 'casdoor', type: record.action, ...attempt }),
        }),
      );
    },
    cognito: async () => {
      const { startLocalCognito } = await import('#stand-ins/cognito/local-cognito.ts');
      return track(
        startLocalCognito({
          port: ports.cognito ?? 0,
          ...(stateDirectory !== undefined && { directory: join(stateDirectory, 'cognito') }),
          ...(onLine && { onLine: (line: string) => onLine('cognito', line) }),
        }),
      );
    },
  };
  const [clerk, casdoor, cognito] = [
    names.includes('clerk') ? starting.clerk() : undefined,
    names.includes('casdoor') ? starting.casdoor() : undefined,
    names.includes('cognito') ? starting.cognito() : undefined,
  ];
  // If one fails, the others must be known before they can be ended.
  await Promise.allSettled([clerk, casdoor, cognito]);
  return {
    ...(clerk && { clerk: await clerk }),
    ...(casdoor && { casdoor: await casdoor }),
    ...(cognito && { cognito: await cognito }),
  };
}
