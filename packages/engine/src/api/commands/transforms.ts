/** Trying a webhook's transformations without calling it. */
import { z } from 'zod';
import { type Commands, command } from '#api/command.ts';
import type { Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { json, object, transform } from '#metadata/primitives.ts';
import { transformRequest, transformResponse } from '#webhook/transform.ts';

const args = object({
  webhook_url: z.union([z.string(), z.strictObject({ from_env: z.string() })]),
  body: json,
  env: z.record(z.string(), z.string()).default({}),
  session_variables: z.record(z.string(), z.string()).optional(),
  request_headers: z.array(z.tuple([z.string(), z.string()])).default([]),
  request_transform: transform,
  response_transform: transform.optional(),
});

export const transformCommands: Commands = {
  test_webhook_transform: command(args, (given) => {
    // Never the engine's own environment: whoever may try a transformation need not know it.
    const { env } = given;
    const context = { sessionVariables: given.session_variables, env };
    const url = webhookUrl(given.webhook_url, env);
    const headers = given.request_headers.map(([name, value]) => [name, fill(value, env)] as const);
    const request = validating('request', () =>
      transformRequest(
        given.request_transform,
        { url: parseUrl(url), method: 'GET', headers, body: JSON.stringify(given.body) },
        context,
      ),
    );
    validating('response', () =>
      transformResponse(
        given.response_transform,
        { status: 200, body: request.body ?? 'null' },
        { ...context, request },
      ),
    );
    return {
      webhook_url: request.url.replace(/\/(\?|$)/, (_, end: string) => (end === '' ? '/' : end)),
      method: request.method,
      headers: [...request.headers].sort(([a], [b]) => (a < b ? -1 : 1)),
      body: readBody(request.body),
    };
  }),
};

function webhookUrl(url: string | { readonly from_env: string }, env: Environment): string {
  if (typeof url === 'string') return fill(url, env);
  const value = env[url.from_env];
  if (value === undefined) throw new EngineError('not-found', 'Missing Env Var', { status: 400 });
  return value;
}

const SAMPLES_ONLY =
  'For security reasons when testing request options real environment variable values are not available.';
const MANUAL =
  'https://hasura.io/docs/latest/graphql/core/actions/rest-connectors/#action-transforms-sample-context';

/** `text` with every `{{VARIABLE}}` replaced by its sample. @throws {EngineError} `not-found`, `parse-failed` */
function fill(text: string, env: Environment): string {
  if (text === '') throw new EngineError('parse-failed', 'Invalid Url Template');
  return text.replace(/\{\{([^}]+)\}\}/g, (_, name: string) => {
    const value = env[name];
    if (value !== undefined) return value;
    const hint = `Please enter a mock value for ${name} in the Sample Env Variables list. See ${MANUAL}`;
    throw new EngineError('not-found', `Missing Env Var: ${name}. ${SAMPLES_ONLY} ${hint}`, { status: 400 });
  });
}

/** @throws {EngineError} `validation-failed` */
function parseUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed !== null) return parsed.href;
  throw new EngineError('validation-failed', 'request transform validation failed', {
    internal: [
      { error_code: 'Request Initialization Error', message: `InvalidUrlException "${url}" "Invalid URL"` },
    ],
  });
}

function validating<Result>(what: 'request' | 'response', run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError('validation-failed', `${what} transform validation failed`, {
      internal: error.internal,
      cause: error,
    });
  }
}

/** JSON as the value it stands for; a form as its text; nothing as the empty text. */
function readBody(body: string | undefined): unknown {
  if (body === undefined) return '';
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
