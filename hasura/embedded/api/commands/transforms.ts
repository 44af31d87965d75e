/** Trying a webhook's transformations without calling it. */
import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import { json, object, transform } from '../../metadata/kit.ts';
import { fillTemplate } from '../../webhook/env-template.ts';
import { transformRequest, transformResponse } from '../../webhook/transform.ts';
import { type Commands, command } from '../command.ts';

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
  test_webhook_transform: command(args, (given, { config }) => {
    const env = { ...config.env, ...given.env };
    const url = given.webhook_url;
    const context = { sessionVariables: given.session_variables, env };
    const request = validating('request', () =>
      transformRequest(
        given.request_transform,
        {
          url: new URL(fillTemplate(typeof url === 'string' ? url : `{{${url.from_env}}}`, env)).href,
          method: 'GET',
          headers: given.request_headers,
          body: JSON.stringify(given.body),
        },
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
