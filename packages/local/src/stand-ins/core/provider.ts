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
  /** What to do with it once it runs; `npm start` prints it. */
  guide(running: Provider): StandInGuide;
}

/** What people do first with a stand-in. */
export interface StandInGuide {
  /** What it is called, and what of it can be reached. */
  readonly name: string;
  readonly what: string;
  /** The words and commands that sign somebody up, and get their token. */
  readonly signUp: readonly [words: string, command: string];
  readonly token: readonly [words: string, command: string];
  /** What brings their row, where no webhook does: the words, and a GraphQL request. */
  readonly sync?: readonly [words: string, query: string];
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
