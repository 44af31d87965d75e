import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * A logger of JSON lines. Ids may be logged; addresses, names, tokens and payloads may not, and what
 * looks like one of them is taken out should it get here by mistake.
 */
export function createLogger(level: string, destination: DestinationStream = pino.destination(1)): Logger {
  const secrets = [
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
  ];
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secrets.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    destination,
  );
}
