/** One GraphQL request over HTTP or WebSocket that is no subscription. */
import type { ApiService } from '#api/service.ts';
import type { EngineConfig } from '#config.ts';
import type { GraphqlRequest, Operation, OperationResult, RequestContext } from '#core.ts';
import { EngineError } from '#errors.ts';
import type { Session } from '#session.ts';
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
    throw new EngineError('unexpected', 'subscriptions are not supported over HTTP, use websockets instead', {
      status: 400,
    });
  }
  return operation.run(context);
}
