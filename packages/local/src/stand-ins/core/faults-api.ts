import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { describeError } from './describe-error.ts';
import { FAULT_INPUT } from './fault-input.ts';
import type { Faults } from './faults.ts';

/** The routes by which people make a stand-in misbehave; docs/local-stack.md tells of them. */
export function faultsApi(app: FastifyInstance, faults: Faults): void {
  app.get('/faults', async () => faults.list());
  app.post('/faults', async ({ body }, reply) =>
    reply.code(201).send(faults.add(FAULT_INPUT.parse(body ?? {}))),
  );
  app.delete('/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof z.ZodError ? 400 : 500;
    return reply.code(status).send({ error: 'fault-invalid', message: describeError(error) });
  });
}

/** What a stand-in knows of its provider's API, so that calls of it can be made to fail. */
export interface CallFaultOptions {
  /** The path of a call of the provider's API, or its name; undefined for whatever else is asked here. */
  pathOf(request: FastifyRequest): string | undefined;
  /** The provider's own answer to one call too many (429), and to a failure of its own (500). */
  refuse(reply: FastifyReply, status: 429 | 500): FastifyReply;
}

/** Lets calls of the provider's API fail as the faults say. */
export function failCalls(app: FastifyInstance, faults: Faults, { pathOf, refuse }: CallFaultOptions): void {
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  app.addHook('onRequest', async (request, reply) => {
    const path = pathOf(request);
    const fault = path === undefined ? undefined : faults.onCall(path);
    if (fault === undefined) return;
    if (fault.kind === 'timeout') {
      await sleep(fault.ms, undefined, { signal: closing.signal }).catch(() => {});
      reply.hijack();
      request.raw.destroy();
      return reply;
    }
    if (fault.kind === '429') reply.header('retry-after', fault.retryAfterSeconds);
    return refuse(reply, fault.kind === '429' ? 429 : 500);
  });
}
