/** A real HTTP server that keeps what it is sent and answers as told. */
import { createServer, type IncomingHttpHeaders } from 'node:http';

export type Received = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** As sent. */
  text: string;
  /** The JSON of `text`, if it is JSON. */
  body: unknown;
};
export type Answer = {
  status?: number;
  headers?: Record<string, string | string[]>;
  /** JSON unless it is a string. */
  body?: unknown;
};

export type Receiver = {
  url: string;
  received: Received[];
  /** Resolves once `count` requests have come, with all of them. */
  waitFor(count: number): Promise<Received[]>;
  close(): Promise<void>;
};

/** @param answer for each request; a promise that never resolves is a handler that hangs */
export async function startReceiver(
  answer: (request: Received, index: number) => Answer | Promise<Answer> = () => ({}),
): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const text = Buffer.concat(chunks).toString();
      const one: Received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        text,
        body: parse(text),
      };
      received.push(one);
      for (const check of waiting) check();
      const { status = 200, headers = {}, body = {} } = await answer(one, received.length - 1);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    waitFor(count) {
      return new Promise((resolve) => {
        const check = () => {
          if (received.length < count) return;
          waiting.delete(check);
          resolve([...received]);
        };
        waiting.add(check);
        check();
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
