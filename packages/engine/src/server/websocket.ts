/** WebSocket upgrades to the GraphQL paths. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { EngineError, graphqlErrorBody } from '#base/errors.ts';
import { type HeaderList, headerList } from '#base/headers.ts';
import type { CorsPolicy } from './cors.ts';
import { refuseForeign } from './loopback-only.ts';
import { writeError } from './slow-requests.ts';
import { type Connection, type ConnectionParts, serveConnection } from './ws-connection.ts';
import { CLOSES, type Protocol } from './ws-protocol.ts';

/** Documents and variables of one operation; far above what clients send. */
const MESSAGE_LIMIT = 16 * 1024 * 1024;
const PATHS = ['/v1/graphql', '/v1alpha1/graphql'];
const HANDSHAKE = ['sec-websocket-key', 'sec-websocket-version', 'upgrade', 'connection'];

export interface WebSockets {
  close(): void;
}

/** Takes the upgrades of `server`. */
export function attachWebSockets(server: Server, parts: ConnectionParts, cors: CorsPolicy): WebSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_LIMIT,
    // Hasura names a protocol even to clients that asked for none, which strict clients refuse.
    handleProtocols: (offered, request) =>
      protocolOf(request) === 'graphql-transport-ws' || offered.has('graphql-ws')
        ? protocolOf(request)
        : false,
    // A frame that is no UTF-8 is a message that cannot be read, not the end of the connection.
    skipUTF8Validation: true,
  });
  const connections = new Set<Connection>();
  const closeAll = (close: (typeof CLOSES)[keyof typeof CLOSES]) => {
    for (const connection of connections) connection.close(close);
  };
  const stopListening = parts.api.onChange((api) => {
    if (api === 'v1/metadata') closeAll(CLOSES.metadataChanged);
  });
  const enabled = parts.config.enabledApis.includes('graphql');
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const foreign = refuseForeign(parts.config, request.headers);
    if (foreign !== undefined) return refuse(socket, foreign);
    // As it stands, the query string included.
    const path = request.url ?? '/';
    if (!enabled || !PATHS.includes(path)) {
      return refuse(
        socket,
        new EngineError(
          'not-found',
          "only '/v1/graphql', '/v1alpha1/graphql' and '/v1beta1/relay' are supported on websockets",
        ),
      );
    }
    const headers = allowedHeaders(request, cors);
    if (headers === undefined) {
      return refuse(
        socket,
        new EngineError('access-denied', 'received origin header does not match configured CORS domains', {
          status: 400,
        }),
      );
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = serveConnection(webSocket, parts, {
        protocol: protocolOf(request),
        legacy: path === '/v1alpha1/graphql',
        headers,
        connectionId: randomUUID(),
      });
      connections.add(connection);
      webSocket.once('close', () => connections.delete(connection));
    });
  };
  server.on('upgrade', upgrade);
  return {
    close() {
      server.off('upgrade', upgrade);
      stopListening();
      closeAll(CLOSES.shutdown);
      // A client that does not answer the close frame is not waited for.
      setTimeout(() => {
        for (const webSocket of sockets.clients) webSocket.terminate();
      }, 200).unref();
      sockets.close();
    },
  };
}

/** The new one where it alone is offered. */
function protocolOf({ headers }: IncomingMessage): Protocol {
  return headers['sec-websocket-protocol'] === 'graphql-transport-ws' ? 'graphql-transport-ws' : 'graphql-ws';
}

/** What may authenticate the connection; undefined where the origin is not allowed. */
function allowedHeaders(request: IncomingMessage, cors: CorsPolicy): HeaderList | undefined {
  const headers = headerList(request.rawHeaders).filter(([name]) => !HANDSHAKE.includes(name.toLowerCase()));
  const { origin } = request.headers;
  if (origin === undefined || cors.kind === 'all') return headers;
  if (cors.kind === 'list') return cors.allows(origin) ? headers : undefined;
  // Without CORS any page could use the browser's cookie.
  return cors.readCookie ? headers : headers.filter(([name]) => name.toLowerCase() !== 'cookie');
}

function refuse(socket: Duplex, error: EngineError): void {
  writeError(socket, error, graphqlErrorBody(error, false));
}
