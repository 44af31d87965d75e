/** Texts that the `graphql` package parses and Hasura's parser does not. */
import {
  type ASTNode,
  BREAK,
  type DefinitionNode,
  type DocumentNode,
  Kind,
  Lexer,
  type NameNode,
  Source,
  TokenKind,
  visit,
} from '#base/graphql.ts';

/** Whether Hasura takes the document for GraphQL too. */
export function isHasuraDocument(text: string, document: DocumentNode): boolean {
  return document.definitions.every(isExecutable) && !repeatsNames(document) && !hasOddString(text);
}

/** No types are defined in requests, nothing is described, and variables carry no directives. */
function isExecutable(node: DefinitionNode): boolean {
  if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) return false;
  if ('description' in node && node.description !== undefined) return false;
  const variables = node.variableDefinitions ?? [];
  return variables.every(
    (variable) =>
      (variable.directives ?? []).length === 0 &&
      !('description' in variable && variable.description !== undefined),
  );
}

/** An argument or an object's field that is given twice. */
function repeatsNames(document: DocumentNode): boolean {
  let found = false;
  const check = (named: readonly { readonly name: NameNode }[] | undefined) => {
    if (named === undefined || new Set(named.map(({ name }) => name.value)).size === named.length)
      return undefined;
    found = true;
    return BREAK;
  };
  visit(document, {
    enter(node: ASTNode) {
      if (node.kind === Kind.FIELD || node.kind === Kind.DIRECTIVE) return check(node.arguments);
      return node.kind === Kind.OBJECT ? check(node.fields) : undefined;
    },
  });
  return found;
}

/** Strings may not have `\u{…}` in them, nor a tab as it is; a text may not begin with a byte order mark. */
function hasOddString(text: string): boolean {
  if (text.startsWith('\uFEFF')) return true;
  // Most texts are done with here.
  if (!text.includes('\\u{') && !/"[^"\n]*\t[^"\n]*"/.test(text)) return false;
  const lexer = new Lexer(new Source(text));
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance())
    if (token.kind === TokenKind.STRING && isOdd(text.slice(token.start, token.end))) return true;
  return false;
}

/** An escaped backslash before `u{` escapes nothing else. */
function isOdd(string: string): boolean {
  return string.includes('\t') || string.replaceAll('\\\\', '').includes('\\u{');
}
