/**
 * How things are called in GraphQL: the two naming conventions, and a source's prefixes and suffixes.
 *
 * `graphql-default` writes types in PascalCase, fields in camelCase and enum values in capitals, but leaves
 * alone what the user named.
 */

import type { SourceCustomization } from '#metadata/types.ts';
import type { QualifiedName } from '#postgres/catalog.ts';

export const GRAPHQL_NAME = /^[_A-Za-z][_0-9A-Za-z]*$/;

export interface Names {
  readonly namespace: string | undefined;
  readonly graphqlCase: boolean;
  /** A type's name, with the source's prefix and suffix. */
  type(...parts: readonly (Identifier | string)[]): string;
  /** The same without prefix and suffix: comparison operators, `order_by`. */
  plainType(...parts: readonly (Identifier | string)[]): string;
  /** A field or argument. */
  field(...parts: readonly (Identifier | string)[]): string;
  /** A root field's name as it is in the schema, with the source's prefix and suffix. */
  rootField(name: string): string;
  /** A name written in snake_case, such as a column's or an argument's, as a field. */
  fieldCase(name: string): string;
  /** The same as a type: a scalar's name. */
  typeCase(name: string): string;
  enumValue(name: string): string;
}

/** A snake_case name in words; a leading underscore belongs to the first word. */
function words(name: string): string[] {
  const [first, second, ...rest] = name.split('_');
  if (first === '' && second !== undefined) return [`_${second}`, ...rest];
  return name.split('_');
}

const upperFirst = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
const lowerFirst = (word: string) => word.charAt(0).toLowerCase() + word.slice(1);

function generated(name: string): Identifier {
  return words(name).map((text) => ({ text, custom: false }));
}

export function custom(name: string): Identifier {
  return [{ text: name, custom: true }];
}

/** A table's or function's name: the schema is part of it unless it is `public`. */
export function objectIdentifier(name: QualifiedName): Identifier {
  return name.schema === 'public'
    ? generated(name.name)
    : [...generated(name.schema), ...generated(name.name)];
}

function join(parts: readonly (Identifier | string)[], firstCase: (word: string) => string): string {
  const all = parts.flatMap((part) => (typeof part === 'string' ? generated(part) : part));
  return all
    .map(({ text, custom: isCustom }, index) =>
      index > 0 ? upperFirst(text) : isCustom ? text : firstCase(text),
    )
    .join('');
}

function snake(parts: readonly (Identifier | string)[]): string {
  return parts
    .flatMap((part) => (typeof part === 'string' ? generated(part) : part))
    .map(({ text }) => text)
    .join('_');
}

/** Prefix and suffix of a source; the convention re-cases all but the first word. */
function affix(
  graphqlCase: boolean,
  prefix: string | undefined,
  name: string,
  suffix: string | undefined,
): string {
  const [first = '', ...rest] = [prefix, name, suffix].filter((part) => part !== undefined);
  return `${first}${rest.map((part) => (graphqlCase ? upperFirst(part) : part)).join('')}`;
}

/** @param defaultConvention undefined where naming conventions are turned off, whatever the source says */
export function createNames(
  customization: SourceCustomization,
  defaultConvention: string | undefined,
): Names {
  const graphqlCase =
    defaultConvention !== undefined &&
    (customization.naming_convention ?? defaultConvention) === 'graphql-default';
  const types = customization.type_names;
  const fields = customization.root_fields;
  const plainType = (...parts: readonly (Identifier | string)[]) =>
    graphqlCase ? join(parts, upperFirst) : snake(parts);
  const recase = (first: (word: string) => string) => (name: string) => {
    if (!graphqlCase) return name;
    const cased = words(name)
      .map((word, index) => (index === 0 ? first(word) : upperFirst(word)))
      .join('');
    return GRAPHQL_NAME.test(cased) ? cased : name;
  };
  return {
    namespace: fields?.namespace,
    graphqlCase,
    plainType,
    type: (...parts) => affix(graphqlCase, types?.prefix, plainType(...parts), types?.suffix),
    field: (...parts) => (graphqlCase ? join(parts, lowerFirst) : snake(parts)),
    rootField: (name) => affix(graphqlCase, fields?.prefix, name, fields?.suffix),
    fieldCase: recase(lowerFirst),
    typeCase: recase(upperFirst),
    enumValue: (name) => (graphqlCase ? name.toUpperCase() : name),
  };
}

/**
 * A name made of words, so that it can be written in snake_case, camelCase or PascalCase. A first
 * word that the user chose (`custom`) is never re-cased.
 */
export type Identifier = readonly { readonly text: string; readonly custom: boolean }[];
