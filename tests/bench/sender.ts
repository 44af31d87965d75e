import { connect, type Socket } from 'node:net';

/** What sending a number of requests came to. */
export interface Sent {
  /** How many were answered with each status. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly seconds: number;
  /** Of each answered request, in milliseconds, ascending. */
  readonly latencies: readonly number[];
}

export interface SendOptions {
  readonly inFlight: number;
  /** Ends early, with what is under way answered, when this much time has passed. */
  readonly mostSeconds: number;
}

/**
 * Sends whole HTTP/1.1 requests over that many kept connections, one at a time on each. It knows just
 * enough of HTTP: on a machine with two cores, what the sender takes is missing to what is measured.
 *
 * @throws where a connection breaks, or an answer has no length
 */
export async function send(
  url: string,
  requests: Iterable<Buffer>,
  { inFlight, mostSeconds }: SendOptions,
): Promise<Sent> {
  const { hostname, port } = new URL(url);
  const sockets = await Promise.all(
    Array.from({ length: inFlight }, () => connected(hostname, Number(port))),
  );
  const queue = requests[Symbol.iterator]();
  const statuses = new Map<number, number>();
  const latencies: number[] = [];
  const begun = performance.now();
  const deadline = begun + mostSeconds * 1000;
  try {
    await Promise.all(
      sockets.map(async (socket) => {
        const exchange = exchanger(socket);
        while (performance.now() < deadline) {
          const { value: request, done } = queue.next();
          if (done) return;
          const sentAt = performance.now();
          const status = await exchange(request);
          latencies.push(performance.now() - sentAt);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      }),
    );
    const seconds = (performance.now() - begun) / 1000;
    return { statuses, seconds, latencies: latencies.sort((one, other) => one - other) };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** The value below which this share of an ascending list lies. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((one, other) => one - other),
    0.5,
  );
}

async function connected(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Writes one request and reads its answer's status; the body is passed over. */
function exchanger(socket: Socket): (request: Buffer) => Promise<number> {
  let received = '';
  let waiting: PromiseWithResolvers<number> | undefined;
  const fail = (error: Error): void => waiting?.reject(error);
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('The connection was closed in the middle of an exchange.')));
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = received.slice(0, headEnd);
    const status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) return fail(new Error(`An answer without a length:\n${head}`));
    if (received.length < headEnd + 4 + Number(length)) return;
    received = '';
    waiting?.resolve(status);
  });
  return (request) => {
    waiting = Promise.withResolvers();
    socket.write(request);
    return waiting.promise;
  };
}
