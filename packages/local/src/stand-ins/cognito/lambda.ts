import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import Fastify from 'fastify';
import { z } from 'zod';
import { LOOPBACK } from '#processes/ports.ts';
import { answerThisMachineOnly } from '#stand-ins/core/loopback-only.ts';

export type LocalLambda = {
  /** What the SDK calls the endpoint of Lambda. */
  url: string;
  /** Runs a function, and gives what it returned. Rejects where it threw or ran out of time. */
  invoke(name: string, event: unknown): Promise<unknown>;
  /** Gives the functions other variables; each starts anew with them when it is next invoked. */
  configure(environment: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
};

/** As Cognito has it for its triggers. */
const TIMEOUT_MS = 5_000;

const ANSWER = z.object({
  requestId: z.string(),
  result: z.unknown().optional(),
  errorMessage: z.string().optional(),
});
type Answer = z.infer<typeof ANSWER>;

/**
 * Runs bundled Lambda functions on this machine, each in a thread with its own environment, and
 * answers `Invoke` as AWS Lambda does.
 *
 * @param functions their names and files
 */
export async function startLocalLambda({
  functions,
  prepare = async (event) => event,
  onLine,
}: {
  functions: Readonly<Record<string, string>>;
  /** Completes an event that came over HTTP, where the caller leaves something out. */
  prepare?: (event: unknown) => Promise<unknown>;
  onLine?: (line: string) => void;
}): Promise<LocalLambda> {
  let environment: Readonly<Record<string, string>> = {};
  const workers = new Map<string, Worker>();
  const waiting = new Map<string, { by: Worker; settle: (answer: Answer) => void }>();

  function startWorker(file: string): Worker {
    const worker = new Worker(new URL('lambda-worker.ts', import.meta.url), {
      workerData: { file: pathToFileURL(file).href },
      env: { ...environment },
      stdout: true,
      stderr: true,
    });
    for (const stream of [worker.stdout, worker.stderr]) {
      createInterface({ input: stream }).on('line', (line) => onLine?.(line));
    }
    worker.on('message', (message: unknown) => {
      const answer = ANSWER.parse(message);
      waiting.get(answer.requestId)?.settle(answer);
    });
    // A function that cannot even start fails each time it is invoked.
    worker.on('error', (error) => {
      onLine?.(String(error));
      for (const [name, other] of workers) if (other === worker) workers.delete(name);
      for (const [requestId, { by, settle }] of waiting) {
        if (by === worker) settle({ requestId, errorMessage: String(error) });
      }
    });
    worker.unref();
    return worker;
  }

  async function invoke(name: string, event: unknown): Promise<unknown> {
    const file = functions[name];
    if (file === undefined) throw new Error(`Function not found: ${name}`);
    const worker = workers.get(name) ?? startWorker(file);
    workers.set(name, worker);
    const requestId = randomUUID();
    const answered = new Promise<Answer>((settle) => {
      waiting.set(requestId, { by: worker, settle });
    });
    const timer = setTimeout(
      () => waiting.get(requestId)?.settle({ requestId, errorMessage: 'Task timed out' }),
      TIMEOUT_MS,
    );
    worker.postMessage({ requestId, event, endsAt: Date.now() + TIMEOUT_MS });
    const { errorMessage, result } = await answered;
    clearTimeout(timer);
    waiting.delete(requestId);
    if (errorMessage !== undefined) throw new Error(errorMessage);
    return result;
  }

  const app = Fastify({ forceCloseConnections: true });
  answerThisMachineOnly(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body);
  app.post<{ Params: { name: string }; Body: string }>(
    '/2015-03-31/functions/:name/invocations',
    async ({ params, body }, reply) => {
      reply.type('application/json');
      try {
        return JSON.stringify(await invoke(params.name, await prepare(JSON.parse(body))));
      } catch (error) {
        const errorMessage = error instanceof Error ? error.message : String(error);
        return reply.header('x-amz-function-error', 'Unhandled').send(JSON.stringify({ errorMessage }));
      }
    },
  );

  const url = await app.listen({ host: LOOPBACK, port: 0 });
  return {
    url,
    invoke,
    configure(wanted) {
      environment = wanted;
      const outdated = [...workers.values()];
      workers.clear();
      for (const worker of outdated) void worker.terminate();
    },
    async close() {
      await app.close();
      await Promise.all([...workers.values()].map((worker) => worker.terminate()));
    },
  };
}
