/** Variables of a REST endpoint's query, from its path, its query string and its body. */
import type { OperationDefinitionNode, TypeNode } from 'graphql';
import { EngineError } from '#base/errors.ts';

const NUMBERS = ['Int', 'Float', 'Number', 'Double', 'float8', 'numeric'];
const BOOLEANS = ['Bool', 'Boolean'];

/**
 * @param text what came as text (path and query string); read by the variable's type
 * @param body what came as JSON; taken as it is
 * @throws {EngineError} `bad-request`
 */
export function restVariables(
  operation: OperationDefinitionNode,
  text: Readonly<Record<string, string>>,
  body: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const types = new Map(
    (operation.variableDefinitions ?? []).map((node) => [node.variable.name.value, node.type]),
  );
  for (const name of [...Object.keys(text), ...Object.keys(body)]) {
    if (!types.has(name)) throw new EngineError('bad-request', `Unexpected variable ${name}`);
  }
  const variables: Record<string, unknown> = {};
  for (const [name, type] of types) {
    if (Object.hasOwn(text, name)) {
      const value = readText(name, text[name] ?? '', type);
      if (value !== undefined) variables[name] = value;
    } else if (Object.hasOwn(body, name)) {
      variables[name] = body[name];
    }
  }
  return variables;
}

function readText(name: string, text: string, type: TypeNode): unknown {
  const nullable = type.kind !== 'NonNullType';
  const named = type.kind === 'NonNullType' ? type.type : type;
  if (named.kind === 'ListType') {
    throw new EngineError(
      'bad-request',
      `List variables are not currently supported in URL or Query parameters. (Variable ${name}, with value ${JSON.stringify(text)})`,
    );
  }
  const typeName = named.name.value;
  if (typeName === 'Boolean' && text === '') return true;
  if (nullable && text === '') return undefined;
  if (BOOLEANS.includes(typeName) && (text === 'true' || text === 'false')) return text === 'true';
  if (NUMBERS.includes(typeName) && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
  return text;
}
