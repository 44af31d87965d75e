import { type DestinationStream, type Logger, pino } from 'pino';

const SECRETS = new Set([
  'email',
  'phone',
  'name',
  'token',
  'secret',
  'password',
  'payload',
  'body',
  'headers',
  'authorization',
]);

/** Nothing that is logged is nested deeper. */
const MAX_DEPTH = 3;

/**
 * A logger of JSON lines. Ids may be logged; addresses, names, tokens and payloads may not, and what
 * looks like one of them is taken out should it get here by mistake.
 */
export function createLogger(level: string, destination: DestinationStream = pino.destination(1)): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Not pino's own redaction: with paths at any depth it takes longer, for each value of each line and
      // for each request's logger, than to verify the request's signature.
      formatters: { log: (fields) => redact(fields, MAX_DEPTH) },
      serializers: { err: (error) => redact(pino.stdSerializers.err(error), MAX_DEPTH - 1) },
    },
    destination,
  );
}

function redact<Fields extends object>(fields: Fields, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      SECRETS.has(key) ? '[redacted]' : redactWithin(value, depth - 1),
    ]),
  );
}

function redactWithin(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth === 0) return value;
  if (Array.isArray(value)) return value.map((part) => redactWithin(part, depth - 1));
  // An error is redacted by its serializer, which comes after this.
  return value instanceof Error ? value : redact(value, depth);
}
