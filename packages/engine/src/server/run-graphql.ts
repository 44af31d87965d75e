/** One GraphQL request over HTTP or WebSocket that is no subscription. */
import type { ApiService } from '#api/requests/service.ts';
import type { EngineConfig } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import type { Session } from '#base/session.ts';
import type { GraphqlRequest, Operation, OperationResult, RequestContext } from '#execute/operation.ts';
import { checkAllowlist } from './allowlist.ts';

export interface GraphqlParts {
  readonly config: EngineConfig;
  readonly api: ApiService;
}

/** Whatever holds before a request is even looked at: the allowlist. @throws {EngineError} */
export function prepareGraphql(
  { config, api }: GraphqlParts,
  request: GraphqlRequest,
  session: Session,
): Operation {
  const { metadata, core } = api.state;
  if (config.enableAllowlist) checkAllowlist(metadata, request.query, session);
  return core.prepare(request, session);
}

/** @throws {EngineError} */
export async function runGraphql(
  parts: GraphqlParts,
  request: GraphqlRequest,
  session: Session,
  context: RequestContext,
): Promise<OperationResult> {
  const operation = prepareGraphql(parts, request, session);
  if (operation.kind === 'subscription') {
    throw new EngineError(
      'unexpected-payload',
      'subscriptions are not supported over HTTP, use websockets instead',
    );
  }
  return operation.run(context);
}
