import { request } from 'node:http';

export type Sent = {
  url: string;
  method?: string | undefined;
  /** In order, as they are written, the same one twice if need be. */
  headers: readonly (readonly [name: string, value: string])[];
  body?: string | undefined;
};
export type Answered = { status: number; body: string };

const MOST_ATTEMPTS = 3;

/** Sends a request byte by byte as it is given, which no well-behaved client would do. */
export async function send(sent: Sent): Promise<Answered> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendOnce(sent);
    } catch (error) {
      // A server that refuses a body by its length hangs up; whether its answer is read before is luck.
      const isHungUp =
        error instanceof Error && 'code' in error && /^(ECONNRESET|EPIPE)$/.test(String(error.code));
      if (!isHungUp || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

function sendOnce({ url, method = 'POST', headers, body = '' }: Sent): Promise<Answered> {
  const { hostname, port } = new URL(url);
  // The path as it is: a parser would tidy it.
  const path = url.slice(url.indexOf('/', 'http://'.length));
  const flat = headers.flatMap(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')]);
  const length = body === '' ? [] : ['content-length', String(Buffer.byteLength(body))];
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, path, method, headers: ['host', `${hostname}:${port}`, ...flat, ...length] },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
        answer.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Does something with each, a few at a time, and gives the results in order. */
export async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const worker = async () => {
    for (const [at, item] of waiting) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return results;
}
