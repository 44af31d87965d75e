/**
 * The types of introspection, with the (sometimes surprising) nullability that Hasura gives them, and the
 * directives a query may use.
 */

import { BOOLEAN_SCALAR, INT_SCALAR, STRING_SCALAR } from '#ir/scalars.ts';
import type { InputField, NamedType, ObjectType, OutputField, OutputMeaning, TypeRef } from '#ir/schema.ts';
import {
  ARGUMENT,
  argumentsOf,
  enumType,
  mandatory,
  NO_ARGUMENTS,
  nullable,
  objectType,
  required,
} from './builder.ts';

const MEANING: OutputMeaning = { kind: 'introspection', of: 'schema' };

function field(
  name: string,
  type: TypeRef,
  args: ReadonlyMap<string, InputField> = NO_ARGUMENTS,
): OutputField {
  return { name, description: undefined, arguments: args, type, meaning: MEANING };
}
const text = (name: string) => field(name, required(STRING_SCALAR));
const sub = (name: string, type: NamedType, args?: ReadonlyMap<string, InputField>) =>
  field(name, nullable(type), args);

const INCLUDE_DEPRECATED = argumentsOf({
  ...mandatory('includeDeprecated', nullable(BOOLEAN_SCALAR), ARGUMENT),
  default: false,
});

const KINDS = ['ENUM', 'INPUT_OBJECT', 'INTERFACE', 'LIST', 'NON_NULL', 'OBJECT', 'SCALAR', 'UNION'];
const typeKind = enumType(
  '__TypeKind',
  undefined,
  KINDS.map((name) => ({ name, description: undefined, value: name })),
);

const typeType: ObjectType = objectType('__Type', undefined, () => [
  field('kind', required(typeKind)),
  text('name'),
  text('description'),
  sub('fields', fieldType, INCLUDE_DEPRECATED),
  sub('interfaces', typeType),
  sub('possibleTypes', typeType),
  sub('enumValues', enumValueType, INCLUDE_DEPRECATED),
  sub('inputFields', inputValueType),
  sub('ofType', typeType),
]);

const inputValueType: ObjectType = objectType('__InputValue', undefined, () => [
  text('name'),
  text('description'),
  sub('type', typeType),
  text('defaultValue'),
]);

const enumValueType: ObjectType = objectType('__EnumValue', undefined, () => [
  text('name'),
  text('description'),
  text('isDeprecated'),
  text('deprecationReason'),
]);

const fieldType: ObjectType = objectType('__Field', undefined, () => [
  text('name'),
  text('description'),
  sub('args', inputValueType),
  sub('type', typeType),
  text('isDeprecated'),
  text('deprecationReason'),
]);

const directiveType: ObjectType = objectType('__Directive', undefined, () => [
  text('name'),
  text('description'),
  text('locations'),
  sub('args', inputValueType),
  field('isRepeatable', required(BOOLEAN_SCALAR)),
]);

const schemaType: ObjectType = objectType('__Schema', undefined, () => [
  text('description'),
  sub('types', typeType),
  sub('queryType', typeType),
  sub('mutationType', typeType),
  sub('subscriptionType', typeType),
  sub('directives', directiveType),
]);

/** `__schema` and `__type`: may be asked of the query root, but are not shown as its fields. */
export function introspectionFields(): OutputField[] {
  return [
    field('__schema', nullable(schemaType)),
    {
      ...field(
        '__type',
        nullable(typeType),
        argumentsOf(mandatory('name', required(STRING_SCALAR), ARGUMENT)),
      ),
      meaning: { kind: 'introspection', of: 'type' },
    },
  ];
}

export interface Directive {
  readonly name: string;
  readonly description: string;
  readonly locations: readonly string[];
  readonly arguments: ReadonlyMap<string, InputField>;
  /** Shown by introspection. */
  readonly advertised: boolean;
}

const CONDITION = argumentsOf(mandatory('if', required(BOOLEAN_SCALAR), ARGUMENT));
const ON_SELECTIONS = ['FIELD', 'FRAGMENT_SPREAD', 'INLINE_FRAGMENT'];

export const DIRECTIVES: readonly Directive[] = [
  {
    name: 'include',
    description: 'whether this query should be included',
    locations: ON_SELECTIONS,
    arguments: CONDITION,
    advertised: true,
  },
  {
    name: 'skip',
    description: 'whether this query should be skipped',
    locations: ON_SELECTIONS,
    arguments: CONDITION,
    advertised: true,
  },
  {
    name: 'cached',
    description: 'whether this query should be cached (Hasura Cloud only)',
    locations: ['QUERY'],
    arguments: argumentsOf(
      { ...mandatory('ttl', required(INT_SCALAR), ARGUMENT, 'measured in seconds'), default: 60 },
      {
        ...mandatory('refresh', required(BOOLEAN_SCALAR), ARGUMENT, 'refresh the cache entry'),
        default: false,
      },
    ),
    advertised: true,
  },
  {
    name: '_multiple_top_level_fields',
    description: 'INTERNAL TESTING TOOL DO NOT USE',
    locations: ['SUBSCRIPTION'],
    arguments: NO_ARGUMENTS,
    advertised: false,
  },
];
