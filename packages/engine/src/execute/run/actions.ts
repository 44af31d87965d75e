/** Root fields that actions answer, within an operation. */
import type { Pool } from 'pg';
import { type ActionContext, type ActionCookies, runAction } from '#actions/run.ts';
import type { Environment } from '#base/config.ts';
import type { HeaderList } from '#base/headers.ts';
import type { Session } from '#base/session.ts';
import type { CompiledField } from '#execute/prepare/compile.ts';
import type { ActionNode } from '#ir/actions.ts';

/** What actions need beside the request. */
export interface ActionEnvironment {
  readonly env: Environment;
  readonly metadataPool: Pool;
}

export interface ActionRunner {
  /** JSON text, perhaps with placeholders (`values/placeholder.ts`). @throws {EngineError} */
  run(node: ActionNode): Promise<string>;
  /** What the handlers called so far want set. */
  readonly cookies: ActionCookies;
}

/** @param query the operation's text, for the handlers */
export function createActionRunner(
  { env, metadataPool }: ActionEnvironment,
  session: Session,
  headers: HeaderList,
  query: string,
): ActionRunner {
  const cookies: (readonly [string, string])[] = [];
  const context: ActionContext = {
    session,
    headers,
    query,
    env,
    metadataPool,
  };
  return {
    cookies,
    async run(node) {
      const answer = await runAction(node, context);
      cookies.push(...answer.headers);
      return answer.json;
    },
  };
}

/** All actions of a compiled operation, in order. */
export function actionsOf(fields: readonly CompiledField[]): ActionNode[] {
  return fields.flatMap((field) => {
    if (field.kind === 'object') return actionsOf(field.fields);
    return field.kind === 'action' ? [field.action] : [];
  });
}

/** Runs all of them at once. */
export async function runActions(
  nodes: readonly ActionNode[],
  run: (node: ActionNode) => Promise<string>,
): Promise<(node: ActionNode) => string> {
  const answers = new Map(await Promise.all(nodes.map(async (node) => [node, await run(node)] as const)));
  return (node) => answers.get(node) ?? 'null';
}
