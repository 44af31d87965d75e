import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type ServiceProcess, startService } from '@latchkey/local/programs/service';
import { startLocalClerk } from '@latchkey/local/stand-ins/clerk';
import { type EmbeddedProject, startEmbedded } from '../support/embedded.ts';
import { serve } from '../support/http.ts';

/** What stands between service and engine. */
export type Between = {
  url: string;
  /** It keeps what it gets to itself, or passes it on as it comes. */
  stick(stuck: boolean): void;
  /** Passes on the oldest that it keeps, and gives the answer back. */
  passOn(): void;
  /** How many requests it has kept, and how many of them it still keeps. */
  kept(): number;
  keeps(): number;
};

/** A service whose way to its engine can be held up. */
export type HeldUp = {
  between: Between;
  service: ServiceProcess;
  /** Somebody signs up, and Clerk tells the service once. */
  post(name: string): Promise<{ status: number; retryAfter: number }>;
  /** The addresses of those who are stored. */
  stored(): Promise<string[]>;
  /** How many deliveries were not taken for this reason. */
  refusals(code: string): number;
  close(): Promise<void>;
};

async function startBetween(engine: EmbeddedProject): Promise<Between & { close(): Promise<void> }> {
  const { endpoint } = engine.config;
  let isStuck = false;
  let kept = 0;
  const waiting: (() => void)[] = [];
  const server = await serve(async (incoming, response) => {
    const body = await text(incoming);
    const passOn = (): void => {
      const onward = request(`${endpoint}${incoming.url}`, { method: 'POST', headers: incoming.headers });
      onward.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      onward.end(body);
    };
    if (!isStuck) return passOn();
    kept += 1;
    waiting.push(passOn);
  });
  return {
    url: server.url,
    close: server.close,
    stick(stuck) {
      isStuck = stuck;
    },
    passOn: () => waiting.shift()?.(),
    kept: () => kept,
    keeps: () => waiting.length,
  };
}

export async function startHeldUp(settings: Readonly<Record<string, string>>): Promise<HeldUp> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const engine = await startEmbedded();
    closers.push(() => engine.close());
    const between = await startBetween(engine);
    closers.push(() => between.close());
    const clerk = await startLocalClerk({ port: 0 });
    closers.push(() => clerk.close());
    const log: string[] = [];
    const service = await startService({
      engineUrl: between.url,
      adminSecret: engine.config.adminSecret,
      onLine: (line) => void log.push(line),
      env: { ...clerk.serviceEnvironment, ...settings },
    });
    closers.push(() => service.close());
    clerk.deliverTo(`${service.url}/webhooks/clerk`);
    return {
      between,
      service,
      async post(name) {
        const { messages } = clerk.intercept(() => clerk.directory.signUp({ email: `${name}@example.com` }));
        const [message] = messages;
        if (message === undefined) throw new Error('Signing up caused no event.');
        const response = await clerk.webhooks.post(message);
        await response.arrayBuffer();
        return { status: response.status, retryAfter: Number(response.headers.get('retry-after')) };
      },
      async stored() {
        const rows = await engine.database.query('select email from users order by email');
        return rows.map(({ email }) => String(email));
      },
      refusals: (code) =>
        log.filter((line) => line.includes('"msg":"failed"') && line.includes(`"code":"${code}"`)).length,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
