import type { FastifyReply } from 'fastify';

export function ok(reply: FastifyReply, data: unknown, data2: unknown = null): FastifyReply {
  return reply.send({ status: 'ok', msg: '', sub: '', name: '', data, data2, data3: null });
}

/** Casdoor's way of telling an error: with status 200. */
export function refuse(reply: FastifyReply, msg: string): FastifyReply {
  return reply.code(200).send({ status: 'error', msg, data: null, data2: null });
}
