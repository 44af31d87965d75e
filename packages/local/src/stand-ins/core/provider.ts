/** A stand-in for an identity provider on this machine, as the stack runs it. */
export type LocalProvider = {
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
};
