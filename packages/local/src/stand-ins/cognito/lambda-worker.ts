import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

/** What one function of {@link import('./lambda.ts')} runs in: a thread with an environment of its own. */

const { file } = z.object({ file: z.string() }).parse(workerData);
const INVOCATION = z.object({ requestId: z.string(), event: z.unknown(), endsAt: z.number() });

const BUNDLE = z.object({
  handler: z.custom<(event: unknown, context: object) => unknown>((value) => typeof value === 'function'),
});
const { handler } = BUNDLE.parse(await import(file));

parentPort?.on('message', async (message: unknown) => {
  const { requestId, event, endsAt } = INVOCATION.parse(message);
  const context = { awsRequestId: requestId, getRemainingTimeInMillis: () => endsAt - Date.now() };
  try {
    parentPort?.postMessage({ requestId, result: (await handler(event, context)) ?? null });
  } catch (error) {
    const errorMessage = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ requestId, errorMessage });
  }
});
