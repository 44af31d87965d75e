import type { JwtSecret } from '@latchkey/core/jwt-secret';
import type { ServiceLink } from '@latchkey/local/programs/engine';

export type EngineSettings = {
  adminSecret: string;
  /** Whose tokens it accepts. */
  jwtSecret?: JwtSecret;
  /** Ask the service who a client is, in place of a `jwtSecret`. */
  authHook?: boolean;
  /** A free one if not given. */
  port?: number;
  /** For what calls the service: actions and cron triggers. */
  service?: ServiceLink;
  env?: Readonly<Record<string, string>>;
};

/** An engine under test: a black box with an address, which can be taken away and brought back. */
export type TestEngine = {
  url: string;
  /** Which engine and version this is. */
  description: string;
  /** Takes it away; its database stays. */
  stop(): Promise<void>;
  /** Brings it back at the same address, with the same settings. */
  start(): Promise<void>;
  /** Ends it and drops its database. */
  close(): Promise<void>;
};
