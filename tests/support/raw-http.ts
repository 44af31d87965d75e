import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RawAnswer {
  readonly status: number;
  /** All of it, headers and body, as it came. */
  readonly text: string;
  /** From the first byte sent to the end of the connection. */
  readonly ms: number;
  /** Parsed as JSON. */
  readonly body: unknown;
}

/**
 * Sends bytes that no HTTP client would send, and gives what came until the server ended the connection.
 *
 * @param trickle sent byte by byte after the rest, one in each quarter of a second, for as long as it is taken
 */
export async function sendRaw(url: string, bytes: string, trickle = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  // The server may end the connection while we are sending.
  socket.on('error', () => {});
  await once(socket, 'connect');
  const began = performance.now();
  socket.write(bytes);
  const answered = text(socket).catch(() => '');
  let isOver = false;
  socket.once('close', () => {
    isOver = true;
  });
  for (const byte of trickle) {
    if (isOver) break;
    socket.write(byte);
    await sleep(250);
  }
  const answer = await answered;
  socket.destroy();
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
    text: answer,
    ms: performance.now() - began,
    body: JSON.parse(rest.join('') || 'null'),
  };
}
