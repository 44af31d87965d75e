import type { Personas } from '#personas/index.ts';

/** A stand-in for an identity provider on this machine, as the stack runs it. */
export interface LocalProvider {
  name: string;
  /** Where it listens; also the issuer of its tokens. */
  url: string;
  /** Where the keys of its tokens are, as a JSON Web Key Set. */
  keysUrl: string;
  /** The settings with which the identity service talks to it. */
  serviceEnvironment: Readonly<Record<string, string>>;
  /** Where to deliver webhooks from now on. */
  deliverTo(endpoint: string): void;
  close(): Promise<void>;
}

/** How the local stack starts a stand-in: what the `index.ts` of each exports as `standIn`. */
export interface StandIn<Provider extends LocalProvider = LocalProvider> {
  start(options: StandInOptions): Promise<Provider>;
}

export interface StandInOptions {
  /** 0 for any free one. */
  port: number;
  /** The folder where stand-ins keep what they hold; nothing is kept without it. */
  stateDirectory?: string | undefined;
  /** Who has signed up when it starts. */
  personas?: Personas | undefined;
  /** Called for each attempt to deliver a webhook. */
  onAttempt?: ((attempt: StandInAttempt) => void) | undefined;
  /** Called with each line that a program of its own prints. */
  onLine?: ((line: string) => void) | undefined;
}

/** One attempt of a stand-in to deliver a webhook. */
export interface StandInAttempt {
  /** The type of the event, in the provider's words. */
  type: string;
  /** From 1. */
  number: number;
  /** The HTTP status, or undefined where nobody answered. */
  status: number | undefined;
  delivered: boolean;
  /** Whether it will be tried again. */
  willRetry: boolean;
}
