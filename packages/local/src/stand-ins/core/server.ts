import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { LOOPBACK } from '#processes/ports.ts';
import { describeError } from './describe-error.ts';
import type { Faults } from './faults.ts';
import { type CallFaultOptions, failCalls, faultsApi } from './faults-api.ts';
import { answerThisMachineOnly } from './loopback-only.ts';

export interface StandInServerOptions extends CallFaultOptions {
  faults: Faults;
  /** The provider's own way of telling an error; `message` is of one line. */
  answerError(reply: FastifyReply, error: unknown, message: string): FastifyReply;
  /** What people do at the provider, as calls that are easy to type; see {@link StandInServerOptions.told}. */
  control(app: FastifyInstance): void;
  /** Settles when each webhook was tried once: what changes something is answered then. */
  told(): Promise<void>;
}

/** A service that hangs must not make the next command wait for it. */
const LONGEST_WAIT_MS = 2_000;

/**
 * The server of a stand-in, to which its provider's API is added: it answers this machine alone, takes JSON
 * and forms, has the control API and `/faults`, and lets calls fail as the faults say.
 */
export function createStandInServer(options: StandInServerOptions): FastifyInstance {
  const { faults, answerError, control, told } = options;
  const app = Fastify({ forceCloseConnections: true });
  answerThisMachineOnly(app);
  failCalls(app, faults, options);
  // Clerk's client calls DELETE with a type but no body, which Fastify's own parser refuses.
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => (body === '' ? undefined : JSON.parse(body)),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => Object.fromEntries(new URLSearchParams(body)),
  );
  app.setErrorHandler((error, _request, reply) => answerError(reply, error, describeError(error)));
  void app.register(async (scope) => {
    // Whoever pastes one command after the other expects the first to have happened: real providers do not
    // wait for their webhooks, but nor does anybody sign up and query within a millisecond there.
    scope.addHook('onSend', async ({ method }) => {
      if (method === 'POST') await Promise.race([told(), sleep(LONGEST_WAIT_MS, undefined, { ref: false })]);
    });
    control(scope);
  });
  void app.register(async (scope) => faultsApi(scope, faults));
  return app;
}

/** @returns its address */
export function listen(app: FastifyInstance, port: number): Promise<string> {
  return app.listen({ host: LOOPBACK, port });
}

/** The path of a request, without what is asked for. */
export function pathname(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
