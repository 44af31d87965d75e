/** Answers a root field of an action. */
import type { Pool } from 'pg';
import type { Environment } from '#base/config.ts';
import type { HeaderList } from '#base/headers.ts';
import type { Session } from '#base/session.ts';
import type { ActionNode, ResultField } from '#ir/actions.ts';
import { parseExactJson } from '#values/exact-json.ts';
import { insertCall, readResult } from './action-log.ts';
import { type ActionCall, callHandler } from './call.ts';
import { writeOutput } from './output.ts';

/** What actions need of the request. */
export interface ActionContext {
  readonly session: Session;
  readonly headers: HeaderList;
  /** The GraphQL text. */
  readonly query: string;
  readonly env: Environment;
  readonly metadataPool: Pool;
}

export interface ActionAnswer {
  /** JSON text, with placeholders for rows of tables that belong to it. */
  readonly json: string;
  /** For the client: the handler's cookies. */
  readonly headers: ActionCookies;
}
export type ActionCookies = readonly (readonly [name: string, value: string])[];

/** @throws {EngineError} the handler's refusal, or what went wrong */
export async function runAction(node: ActionNode, context: ActionContext): Promise<ActionAnswer> {
  switch (node.kind) {
    case 'call': {
      const { value, cookies } = await callHandler(callOf(node, context));
      return { json: writeOutput(value, node.fields), headers: cookies };
    }
    case 'start': {
      const { variables } = context.session;
      const id = await insertCall(
        context.metadataPool,
        node.action.name,
        node.input,
        context.headers,
        variables,
      );
      return { json: JSON.stringify(id), headers: [] };
    }
    case 'result':
      return { json: await result(node, context), headers: [] };
  }
}

function callOf(node: Extract<ActionNode, { kind: 'call' }>, context: ActionContext): ActionCall {
  return {
    action: node.action,
    input: node.input,
    sessionVariables: context.session.variables,
    headers: context.headers,
    query: context.query,
    env: context.env,
  };
}

async function result(
  { action, id, fields }: Extract<ActionNode, { kind: 'result' }>,
  context: ActionContext,
): Promise<string> {
  const { isAdmin, variables } = context.session;
  const found = await readResult(context.metadataPool, action.name, id, isAdmin ? undefined : variables);
  if (found === undefined) return 'null';
  const output = found.output === null ? null : parseExactJson(found.output);
  if (action.outputObject === undefined) return writeOutput(output, []);
  const answer = ({ value }: ResultField): string => {
    switch (value.kind) {
      case 'text':
        return JSON.stringify(value.text);
      case 'id':
        return JSON.stringify(id);
      case 'created-at':
        return JSON.stringify(found.createdAt);
      case 'errors':
        return found.errors ?? 'null';
      case 'output':
        return writeOutput(output, value.fields);
    }
  };
  const written = fields.map((field) => `${JSON.stringify(field.alias)}:${answer(field)}`);
  return `{${written.join(',')}}`;
}
