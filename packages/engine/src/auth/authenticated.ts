import type { Session } from '#base/session.ts';

export interface Authenticated {
  readonly session: Session;
  /** When a WebSocket authenticated this way must close: milliseconds since the epoch, or never. */
  readonly expiresAt: number | undefined;
  /** What the client gets along with any successful answer (the hook's cookies). */
  readonly responseHeaders: readonly (readonly [name: string, value: string])[];
}
