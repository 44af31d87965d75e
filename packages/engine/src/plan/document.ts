/** A request's text: parsed, and its one operation picked out. */

import { EngineError } from '#base/errors.ts';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  TokenKind,
  visit,
} from '#base/graphql.ts';
import { checkFragments } from './collect-fields.ts';
import { isHasuraDocument } from './hasura-syntax.ts';

export interface ParsedOperation {
  readonly definition: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Names of the variables it mentions anywhere. */
  readonly usedVariables: ReadonlySet<string>;
}

/** More is no query that a person or a client library wrote. */
const MAX_TOKENS = 100_000;

/** @throws {EngineError} `validation-failed`, without saying what is wrong with the text, as Hasura */
export function parseDocument(text: string): DocumentNode {
  const refused = (cause?: unknown) =>
    new EngineError('validation-failed', 'not a valid graphql query', { path: '$.query', cause });
  let document: DocumentNode;
  try {
    document = parse(text, { noLocation: true, maxTokens: MAX_TOKENS });
  } catch (cause) {
    // A RangeError too: a text nested too deep for the parser's stack.
    throw refused(cause);
  }
  if (!isHasuraDocument(text, document)) throw refused();
  return document;
}

/**
 * @param text of the document
 * @throws {EngineError} no such operation, none or several to choose from, a broken fragment or variable
 */
export function pickOperation(
  document: DocumentNode,
  operationName: string | undefined,
  text: string,
): ParsedOperation {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const definition = pick(operations, operationName, text);
  const fragments = checkFragments(
    definition.selectionSet,
    document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION),
  );
  return { definition, fragments, usedVariables: variablesOf(definition, fragments) };
}

function pick(
  operations: readonly OperationDefinitionNode[],
  operationName: string | undefined,
  text: string,
): OperationDefinitionNode {
  if (operationName !== undefined) {
    if (operations.some((node) => node.name === undefined) && hasShorthand(text))
      throw new EngineError(
        'validation-failed',
        'operationName cannot be used when an anonymous operation exists in the document',
      );
    const found = operations.find((node) => node.name?.value === operationName);
    if (found === undefined)
      throw new EngineError(
        'validation-failed',
        `no such operation found in the document: "${operationName}"`,
      );
    return found;
  }
  const [only] = operations;
  if (only === undefined || operations.length > 1)
    throw new EngineError(
      'validation-failed',
      'exactly one operation has to be present in the document when operationName is not specified',
    );
  return only;
}

/** `{…}` alone; `query {…}` is a typed operation without a name. Only where it begins tells them apart. */
function hasShorthand(text: string): boolean {
  return parse(text, { maxTokens: MAX_TOKENS }).definitions.some(
    ({ loc }) => loc?.startToken.kind === TokenKind.BRACE_L,
  );
}

function variablesOf(
  definition: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): ReadonlySet<string> {
  const used = new Set<string>();
  const seen = new Set<string>();
  const look = (node: OperationDefinitionNode | FragmentDefinitionNode): void => {
    visit(node, {
      VariableDefinition: () => false,
      Variable: ({ name }) => {
        used.add(name.value);
      },
      FragmentSpread: ({ name }) => {
        const fragment = fragments.get(name.value);
        if (fragment === undefined || seen.has(name.value)) return;
        seen.add(name.value);
        look(fragment);
      },
    });
  };
  look(definition);
  return used;
}
