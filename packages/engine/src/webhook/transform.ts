/** Request and response transformations ("REST connectors") of actions, cron triggers and event triggers. */

import { z } from 'zod';
import type { Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { hashOrder } from '#base/hash-order.ts';
import { fillTemplate, type HeaderPairs } from '#outgoing/env-template.ts';
import type { Json } from '#values/json.ts';
import { renderKriti, type Scope } from '#webhook/kriti/evaluate.ts';
import { KritiError } from '#webhook/kriti/tree.ts';

const REQUEST_FAILED = 'Request Transformation Failed';

/** Whether a request could not even be made: trying again cannot help. */
export function isRequestFailure(error: unknown): boolean {
  return error instanceof EngineError && error.message === REQUEST_FAILED;
}

/** As the metadata hold them; read when they are first used. */
export interface Transforms {
  readonly request?: unknown;
  readonly response?: unknown;
}

export interface PlainRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: HeaderPairs;
  readonly body: string | undefined;
}

export interface TransformContext {
  readonly sessionVariables: Readonly<Record<string, string>> | undefined;
  readonly env: Environment;
}

const formTemplates = z.record(z.string(), z.string());
const body = z.union([
  z.strictObject({ action: z.literal('remove') }),
  z.strictObject({ action: z.literal('transform'), template: z.string() }),
  z.strictObject({ action: z.literal('x_www_form_urlencoded'), form_template: formTemplates }),
  // Version 1 has the template alone.
  z.string().transform((template) => ({ action: 'transform' as const, template })),
]);
type Body = z.output<typeof body>;
const none = z.null().transform(() => undefined);

const requestTransform = z.object({
  version: z.union([z.literal(1), z.literal(2)]).default(1),
  template_engine: z.literal('Kriti').default('Kriti'),
  method: z.union([z.string(), none]).optional(),
  url: z.union([z.string(), none]).optional(),
  body: z.union([body, none]).optional(),
  content_type: z.unknown().optional(),
  query_params: z.union([z.string(), z.record(z.string(), z.string().nullable()), none]).optional(),
  request_headers: z
    .union([
      z.object({
        add_headers: z.record(z.string(), z.string()).default({}),
        remove_headers: z.array(z.string()).default([]),
      }),
      none,
    ])
    .optional(),
});
const responseTransform = z.object({
  version: z.union([z.literal(1), z.literal(2)]).default(1),
  template_engine: z.literal('Kriti').default('Kriti'),
  body: z.union([body, none]).optional(),
});

/** @throws {EngineError} `unexpected` for a template that fails */
export function transformRequest(
  transform: unknown,
  request: PlainRequest,
  context: TransformContext,
): PlainRequest {
  if (transform === undefined || transform === null) return request;
  return failingAs(REQUEST_FAILED, () => {
    const settings = requestTransform.parse(transform);
    const scope = requestScope(request, context);
    // Variables of the environment come first, as in every other setting; `{{$…}}` is Kriti's.
    const render = (template: string) => renderText(fillEnvironment(template, context.env), scope);
    const url = settings.url === undefined ? request.url : render(settings.url);
    const { headers, ...rest } = transformBody(settings.body, request, scope, render);
    return {
      ...rest,
      url: withQuery(url, settings.query_params, render),
      method: settings.method ?? request.method,
      headers: transformHeaders(headers, settings.request_headers, render),
    };
  });
}

/**
 * @returns the body's JSON text
 * @throws {EngineError} `unexpected`
 */
export function transformResponse(
  transform: unknown,
  answer: { readonly status: number; readonly body: string },
  context: TransformContext & { readonly request: PlainRequest },
): string {
  if (transform === undefined || transform === null) return answer.body;
  return failingAs('Response Transformation Failed', () => {
    const settings = responseTransform.parse(transform);
    const wanted = settings.body;
    if (wanted === undefined) return answer.body;
    const request = requestScope(context.request, context).variables;
    const scope: Scope = {
      sessionVariables: context.sessionVariables,
      variables: new Map<string, Json>([
        ['$body', parseJson(answer.body)],
        ['$response', { status: answer.status }],
        ['$session_variables', { ...context.sessionVariables }],
        ['$request', { body: request.get('$body') ?? null, base_url: context.request.url }],
      ]),
    };
    if (wanted.action === 'remove') return 'null';
    if (wanted.action === 'transform') return JSON.stringify(renderKriti(wanted.template, scope));
    return JSON.stringify(formEncode(wanted.form_template, (template) => renderText(template, scope)));
  });
}

function requestScope(request: PlainRequest, context: TransformContext): Scope {
  const query = URL.canParse(request.url) ? [...new URL(request.url).searchParams] : [];
  return {
    sessionVariables: context.sessionVariables,
    variables: new Map<string, Json>([
      ['$body', parseJson(request.body ?? 'null')],
      ['$session_variables', context.sessionVariables === undefined ? null : { ...context.sessionVariables }],
      ['$base_url', request.url],
      ['$query_params', query],
    ]),
  };
}

function transformBody(
  wanted: Body | undefined,
  request: PlainRequest,
  scope: Scope,
  render: (template: string) => string,
): { body: string | undefined; headers: HeaderPairs } {
  if (wanted === undefined) return { body: request.body, headers: request.headers };
  if (wanted.action === 'remove') return { body: undefined, headers: request.headers };
  if (wanted.action === 'transform') {
    return { body: JSON.stringify(renderKriti(wanted.template, scope)), headers: request.headers };
  }
  const others = request.headers.filter(([name]) => name.toLowerCase() !== 'content-type');
  return {
    body: formEncode(wanted.form_template, render),
    headers: [...others, ['Content-Type', 'application/x-www-form-urlencoded']],
  };
}

function formEncode(
  templates: Readonly<Record<string, string>>,
  render: (template: string) => string,
): string {
  return hashOrder(Object.entries(templates), ([key]) => key)
    .map(([key, template]) => [key, render(template)] as const)
    .filter(([, value]) => value !== 'null')
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join('&');
}

function withQuery(
  url: string,
  params: string | Readonly<Record<string, string | null>> | undefined,
  render: (template: string) => string,
): string {
  if (params === undefined) return url;
  const target = new URL(url);
  if (typeof params === 'string') target.search = render(params);
  else {
    target.search = '';
    for (const [key, template] of Object.entries(params)) {
      const value = render(template ?? '');
      if (value !== 'null') target.searchParams.append(render(key), value);
    }
  }
  return target.href;
}

function transformHeaders(
  headers: HeaderPairs,
  wanted:
    | { readonly add_headers: Readonly<Record<string, string>>; readonly remove_headers: readonly string[] }
    | undefined,
  render: (template: string) => string,
): HeaderPairs {
  if (wanted === undefined) return headers;
  const added = Object.entries(wanted.add_headers).map(
    ([name, template]) => [name, render(template)] as const,
  );
  const gone = new Set(
    [...wanted.remove_headers, ...added.map(([name]) => name)].map((name) => name.toLowerCase()),
  );
  return [...headers.filter(([name]) => !gone.has(name.toLowerCase())), ...added];
}

/** A template that stands for text: Kriti within quotes. */
function renderText(template: string, scope: Scope): string {
  const value = renderKriti(`"${template}"`, scope);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `{{NAME}}` of a variable that is set; all else is left to Kriti. */
function fillEnvironment(template: string, env: Environment): string {
  return template.replace(/\{\{\s*([A-Z][A-Z0-9_]*)\s*\}\}/g, (whole, name: string) =>
    env[name] === undefined ? whole : fillTemplate(`{{${name}}}`, env),
  );
}

function parseJson(text: string): Json {
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function failingAs<Result>(message: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof KritiError) {
      const { code, message: reason, span } = error;
      const where = span === undefined ? {} : { source_position: span };
      throw failure(message, { error_code: code, message: reason, ...where });
    }
    if (error instanceof z.ZodError || error instanceof TypeError) {
      throw failure(message, { error_code: 'TransformationError', message: error.message });
    }
    throw error;
  }
}

function failure(message: string, reason: object): EngineError {
  return new EngineError('unexpected', message, { status: 500, internal: [reason] });
}
