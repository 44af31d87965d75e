/** What clients say over WebSocket, in either protocol. */
import { isUtf8 } from 'node:buffer';
import type { RawData } from 'ws';
import { z } from 'zod';
import { EngineError } from '#base/errors.ts';
import type { GraphqlRequest } from '#execute/operation.ts';
import { parseExactJson } from '#values/exact-json.ts';
import { isPlainObject, jsonType } from '#values/json.ts';
import { readGraphqlRequest } from './graphql-request.ts';
import { describeJsonError, NO_UTF8 } from './json-error.ts';

const id = z.string();
const ping = z.object({ message: z.string().nullish() }).nullish();
export type PingPayload = z.output<typeof ping>;

const started = z.object({ type: z.literal(['start', 'subscribe']), id, payload: z.unknown() });
const others = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('connection_init'),
    payload: z.object({ headers: z.record(z.string(), z.string()).nullish() }).nullish(),
  }),
  z.object({ type: z.literal(['stop', 'complete']), id }),
  z.object({ type: z.literal('connection_terminate') }),
  z.object({ type: z.literal(['ping', 'pong']), payload: ping }),
]);

export type ClientMessage =
  | z.output<typeof others>
  | (Omit<z.output<typeof started>, 'payload'> & { readonly payload: GraphqlRequest });

/**
 * Text and binary frames are read alike.
 * @returns the message, or what is wrong with it as Hasura says it
 */
export function readClientMessage(data: RawData): ClientMessage | { readonly problem: string } {
  const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
  if (!isUtf8(bytes)) return { problem: NO_UTF8 };
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    return { problem: describeJsonError(text) };
  }
  const start = started.safeParse(value);
  if (start.success) return readStart(start.data);
  const other = others.safeParse(value);
  return other.success ? other.data : { problem: describe(value) };
}

function readStart(message: z.output<typeof started>): ClientMessage | { readonly problem: string } {
  try {
    return { ...message, payload: readGraphqlRequest(message.payload, ['payload']) };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { problem: `Error in ${error.path}: ${error.message}` };
  }
}

function describe(value: unknown): string {
  if (!isPlainObject(value))
    return `Error in $: parsing ClientMessage failed, expected Object, but encountered ${jsonType(value)}`;
  const { type } = value;
  if (type === undefined) return 'Error in $: key "type" not found';
  if (typeof type !== 'string')
    return `Error in $.type: parsing String failed, expected String, but encountered ${jsonType(type)}`;
  const [issue] = (others.safeParse(value).error ?? started.safeParse(value).error)?.issues ?? [];
  const path = issue?.path ?? [];
  const [last] = path.slice(-1);
  if (last === undefined || last === 'type')
    return started.shape.type.safeParse(type).success
      ? describeAt(value, ['id'])
      : `Error in $: unexpected type for ClientMessage: ${type.slice(0, 40)}`;
  return describeAt(value, path);
}

/** Of text, or of an object where that is what is missing there. */
function describeAt(value: unknown, path: readonly PropertyKey[]): string {
  const [last] = path.slice(-1);
  const found = path.reduce<unknown>(
    (inner, key) => (isPlainObject(inner) ? inner[String(key)] : undefined),
    value,
  );
  if (found === undefined) return `Error in $: key ${JSON.stringify(String(last))} not found`;
  const [name, expected] =
    last === 'payload'
      ? ['payload', 'Object']
      : last === 'headers'
        ? ['HashMap', 'Object']
        : ['Text', 'String'];
  const at = path.map((key) =>
    /^[A-Za-z][A-Za-z0-9]*$/.test(String(key)) ? `.${String(key)}` : `['${String(key)}']`,
  );
  return `Error in $${at.join('')}: parsing ${name} failed, expected ${expected}, but encountered ${jsonType(found)}`;
}
