/**
 * The two WebSocket protocols of GraphQL, as Hasura speaks them: what its messages look like in each, and how a
 * connection ends.
 */
import { apiErrorBody, type EngineError, graphqlErrorBody } from '#base/errors.ts';
import type { PingPayload } from './ws-messages.ts';

export type Protocol = 'graphql-ws' | 'graphql-transport-ws';

export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** How one protocol writes what both say. */
export interface Dialect {
  ack(): string;
  keepAlive(): string;
  pong(payload: PingPayload): string;
  /** An answer; `body` is JSON text. */
  next(id: string, body: string): string;
  /** The operation never ran. */
  refused(id: string, error: EngineError): string;
  /** The operation ran into an error. */
  failed(id: string, error: EngineError, withInternal: boolean): string;
  /** A subscription ran into an error; it goes on. */
  pollFailed(id: string, error: EngineError): string;
  /** The operation could not be started at all; `graphql-transport-ws` also closes the connection. */
  startFailed(
    id: string,
    error: EngineError,
  ): { readonly message: string; readonly close: Close | undefined };
  complete(id: string): string;
  /** A message that cannot be read. */
  malformed(reason: string): { readonly message: string | undefined; readonly close: Close | undefined };
  /** Authentication failed. */
  initFailed(reason: string): { readonly message: string | undefined; readonly close: Close };
  /** Nobody said who they are. */
  readonly initTimeout: Close;
}

const serverError = (text: string) => JSON.stringify({ server_error_msg: text });

/** @param legacy the connection came to `/v1alpha1/graphql`, whose errors have the metadata API's shape */
export function createDialect(protocol: Protocol, legacy: boolean): Dialect {
  const modern = protocol === 'graphql-transport-ws';
  const message = (type: string, fields: Readonly<Record<string, unknown>> = {}) =>
    JSON.stringify({ type, ...fields });
  const plain = (error: EngineError) =>
    legacy ? apiErrorBody(error, false) : graphqlErrorBody(error, false);
  return {
    ack: () => message('connection_ack'),
    keepAlive: () => (modern ? message('ping', { payload: { message: 'keepalive' } }) : message('ka')),
    pong: (payload) =>
      message('pong', payload == null ? {} : { payload: { message: payload.message ?? null } }),
    next: (operation, body) =>
      `{"type":"${modern ? 'next' : 'data'}","id":${JSON.stringify(operation)},"payload":${body}}`,
    refused(operation, error) {
      const payload = legacy ? plain(error) : modern ? [plain(error)] : { errors: [plain(error)] };
      return message('error', { id: operation, payload });
    },
    failed(operation, error, withInternal) {
      const body = legacy ? apiErrorBody(error, withInternal) : graphqlErrorBody(error, withInternal);
      return modern
        ? message('error', { id: operation, payload: [body] })
        : message('data', { id: operation, payload: { data: null, errors: [body] } });
    },
    pollFailed: (operation, error) =>
      message(modern ? 'next' : 'data', { id: operation, payload: { data: null, errors: [plain(error)] } }),
    startFailed(operation, error) {
      const close = { code: 1000, reason: serverError(`4400: ${error.message}`) };
      return {
        message: message('error', { id: operation, payload: modern ? error.message : plain(error) }),
        close: modern ? close : undefined,
      };
    },
    complete: (operation) => message('complete', { id: operation }),
    malformed(reason) {
      const payload = `parsing ClientMessage failed: ${reason}`;
      return modern
        ? {
            message: undefined,
            close: { code: 4400, reason: serverError(`4400: Parsing client message failed: ${payload}`) },
          }
        : { message: message('connection_error', { payload }), close: undefined };
    },
    initFailed(reason) {
      return modern
        ? { message: undefined, close: { code: 4403, reason: serverError('4403: Forbidden') } }
        : {
            message: message('connection_error', { payload: reason }),
            close: { code: 4400, reason: serverError(`4400: Connection initialization failed: ${reason}`) },
          };
    },
    initTimeout: { code: modern ? 4408 : 1011, reason: 'Connection initialisation timed out' },
  };
}

export const CLOSES = {
  tokenExpired: { code: 1000, reason: '' },
  terminated: { code: 1000, reason: 'GQL_CONNECTION_TERMINATE received' },
  metadataChanged: { code: 1012, reason: 'Server state changed, restarting the server' },
  shutdown: { code: 1012, reason: 'shutting server down' },
} as const satisfies Record<string, Close>;

/** A close frame's reason has room for 123 bytes. */
export function fitReason(reason: string): string {
  // What a client sent may be part of it, and long.
  let fitted = reason.slice(0, 123);
  while (Buffer.byteLength(fitted) > 123) fitted = fitted.slice(0, -1);
  return fitted;
}
