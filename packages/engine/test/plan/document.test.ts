import { describe, expect, test } from 'vitest';
import { parseDocument, pickOperation } from '#plan/document.ts';

describe('of what GraphQL allows, Hasura takes for no query', () => {
  test.each([
    ['types', 'type A { b: Int } { a }'],
    ['extensions', 'extend type A { b: Int } { a }'],
    ['directive definitions', 'directive @a on FIELD query { a }'],
    ['descriptions', '"the a" query { a }'],
    ['directives of variables', 'query ($a: Int @b) { a(b: $a) }'],
    ['an argument given twice', '{ a(b: 1, b: 1) }'],
    ['a field of an object given twice', '{ a(b: {c: {d: 1, d: 1}}) }'],
    ['an argument of a directive given twice', '{ a @skip(if: true, if: true) }'],
    ['code points in braces', '{ a(b: "\\u{41}") }'],
    ['tabs within strings', '{ a(b: "1\t2") }'],
    ['a byte order mark', '\uFEFF{ a }'],
  ])('%s', (_what, text) => {
    expect(() => parseDocument(text)).toThrow('not a valid graphql query');
  });

  test.each([
    ['{ a(b: "\\\\u{41}", c: """\\u{41}\t""") }\t# "\\u{41}"'],
    ['{\ta(b: "1",\tc: "2") }'],
    ['{ a(b: {c: 1}, c: {c: 1}) b(b: 1) }'],
    ['query ($a: Int = 1) { a(b: $a) @c(b: 1) @d(b: 1) }'],
  ])('but not what merely looks like it: %s', (text) => {
    expect(parseDocument(text).definitions).toHaveLength(1);
  });
});

describe('an operation is asked for by name', () => {
  const pick = (text: string, name: string) => () => pickOperation(parseDocument(text), name, text);

  test('in vain beside a selection without a name', () => {
    const message = 'operationName cannot be used when an anonymous operation exists in the document';
    expect(pick('{ a }', 'A')).toThrow(message);
    expect(pick('query A { a } { a }', 'A')).toThrow(message);
  });

  test('beside typed ones without a name', () => {
    const message = 'no such operation found in the document: "A"';
    expect(pick('query { a }', 'A')).toThrow(message);
    expect(pick('query ($a: Int) { a(b: $a) }', 'A')).toThrow(message);
    expect(pick('query { a } query A { b }', 'A')().definition.name?.value).toBe('A');
  });
});
