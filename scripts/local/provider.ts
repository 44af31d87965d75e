import type { JwtSecret } from '../../services/identity/providers/provider.ts';

/** A stand-in for an identity provider on this machine, as the stack runs it. */
export type LocalProvider = {
  name: string;
  /** Where it listens; also the issuer of its tokens. */
  url: string;
  /** How Hasura is made to trust its tokens. */
  jwtSecret: JwtSecret;
  /** The settings with which the identity service talks to it. */
  serviceEnvironment: Readonly<Record<string, string>>;
  /** Where to deliver webhooks from now on. */
  deliverTo(endpoint: string): void;
  close(): Promise<void>;
};
