import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ActionServices } from '#actions/action.ts';
import { runAction } from '#actions/index.ts';
import { headerList, readCredentials } from '#auth/credentials.ts';
import { requireEngineSecret } from '#http/engine-secret.ts';
import { toLatchkeyError } from '#http/errors.ts';

/** `POST /actions`: what Hasura's actions call, with the caller in the session variables. */
export function actions(
  app: FastifyInstance,
  services: ActionServices & { readonly engineSecrets: readonly string[] },
): void {
  void app.register(async (scope) => {
    requireEngineSecret(scope, services.engineSecrets);
    scope.setErrorHandler(actionErrorHandler);
    scope.post('/actions', ({ body, raw }) =>
      runAction(services, body, () => readCredentials(headerList(raw.rawHeaders)).token),
    );
  });
}

/** What comes and goes is 4xx here: of anything else Hasura tells the client nothing. */
const TRY_AGAIN = 429;

/** Errors in the form that Hasura passes on to the client: 4xx and `{message, extensions: {code}}`. */
function actionErrorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const latchkeyError = toLatchkeyError(error);
  const answer = (status: number, code: string, message: string) =>
    reply.code(status).send({ message, extensions: { code } });
  if (latchkeyError.status < 500) {
    request.log.info({ code: latchkeyError.code }, 'refused');
    return answer(latchkeyError.status, latchkeyError.code, latchkeyError.message);
  }
  request.log.error({ err: error, code: latchkeyError.code }, 'failed');
  if (latchkeyError.retriable)
    return answer(TRY_AGAIN, 'unavailable', 'This cannot be done just now: try again.');
  return answer(500, 'internal', 'Something went wrong here; it was logged.');
}
