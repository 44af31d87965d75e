/** `Int_comparison_exp` and its kin: the operators that each type of column has. */

import type { ComparisonOperator } from '#ir/predicate.ts';
import { BOOLEAN_SCALAR } from '#ir/scalars.ts';
import type { InputField, InputObjectType, LeafType, TypeRef } from '#ir/schema.ts';
import type { Column } from '#ir/tracked.ts';
import type { PgType } from '#postgres/catalog.ts';
import { arrayOf, BOOLEAN, baseType, FLOAT, INTEGER, isString, TEXT } from '#postgres/pg-type.ts';
import { ARGUMENT, type Builder, inputType, mandatory, optional, required } from './builder.ts';
import { columnScalar, columnType } from './column-types.ts';

/** Operators whose right side is a value of the column's own type. */
const STRING_OPERATORS: readonly (readonly [string, ComparisonOperator, string])[] = [
  ['_like', 'LIKE', 'does the column match the given pattern'],
  ['_nlike', 'NOT LIKE', 'does the column NOT match the given pattern'],
  ['_ilike', 'ILIKE', 'does the column match the given case-insensitive pattern'],
  ['_nilike', 'NOT ILIKE', 'does the column NOT match the given case-insensitive pattern'],
  ['_similar', 'SIMILAR TO', 'does the column match the given SQL regular expression'],
  ['_nsimilar', 'NOT SIMILAR TO', 'does the column NOT match the given SQL regular expression'],
  ['_regex', '~', 'does the column match the given POSIX regular expression, case sensitive'],
  ['_iregex', '~*', 'does the column match the given POSIX regular expression, case insensitive'],
  ['_nregex', '!~', 'does the column NOT match the given POSIX regular expression, case sensitive'],
  ['_niregex', '!~*', 'does the column NOT match the given POSIX regular expression, case insensitive'],
];
const SPATIAL_OPERATORS: readonly (readonly [string, ComparisonOperator, string])[] = [
  ['_st_contains', 'ST_Contains', 'does the column contain the given geometry value'],
  ['_st_crosses', 'ST_Crosses', 'does the column cross the given geometry value'],
  ['_st_equals', 'ST_Equals', 'is the column equal to given geometry value (directionality is ignored)'],
  [
    '_st_overlaps',
    'ST_Overlaps',
    "does the column 'spatially overlap' (intersect but not completely contain) the given geometry value",
  ],
  [
    '_st_touches',
    'ST_Touches',
    'does the column have atleast one point in common with the given geometry value',
  ],
  ['_st_within', 'ST_Within', 'is the column contained in the given geometry value'],
  ['_st_intersects', 'ST_Intersects', 'does the column spatially intersect the given geometry value'],
  [
    '_st_3d_intersects',
    'ST_3DIntersects',
    'does the column spatially intersect the given geometry value in 3D',
  ],
];

/** Conditions on a column (or on anything of `type`, where there is no column). */
export function comparisonType(builder: Builder, type: PgType, column?: Column): InputObjectType {
  const leaf = column === undefined ? columnScalar(builder, type) : columnType(builder, column);
  const isEnum = leaf.kind === 'enum';
  const isArray = leaf.kind === 'scalar' && leaf.array;
  const { names } = builder;
  const name = names.typeCase(`${leaf.name}${isArray ? '_array' : ''}_comparison_exp`);
  return builder.once(`comparison ${type.sql} ${leaf.name}`, () =>
    inputType(
      name,
      `Boolean expression to compare columns of type "${leaf.name}". All fields are combined with logical 'AND'.`,
      () => collapsing(builder, fields(builder, type, leaf, isEnum)),
    ),
  );
}

/** Whether nulls are taken is a setting of the engine. */
function collapsing(builder: Builder, comparisons: readonly InputField[]): readonly InputField[] {
  if (!builder.options.booleanNullCollapse) return comparisons;
  return comparisons.map((field) =>
    field.meaning.kind === 'cast'
      ? field
      : {
          ...field,
          type: { ...field.type, nullable: true },
          meaning: { kind: 'collapsing', meaning: field.meaning },
        },
  );
}

function fields(builder: Builder, type: PgType, leaf: LeafType, isEnum: boolean): InputField[] {
  const name = (operator: string) => builder.names.fieldCase(operator);
  const value = required(leaf);
  const operator = (field: string, sql: ComparisonOperator, of: TypeRef = value, description?: string) =>
    optional(name(field), of, { kind: 'operator', operator: sql }, description);
  const arrayOfLeaf: TypeRef = { kind: 'list', of: value, nullable: false, array: arrayOf(type) };

  const all: InputField[] = [
    optional(name('_is_null'), required(BOOLEAN_SCALAR), { kind: 'is-null' }),
    operator('_eq', '='),
    operator('_neq', '<>'),
    operator('_in', 'in', arrayOfLeaf),
    operator('_nin', 'not in', arrayOfLeaf),
  ];
  if (isEnum) return all;
  if (type.name === 'raster') return [...all, ...rasterFields(builder, operator, value)];
  all.push(operator('_gt', '>'), operator('_lt', '<'), operator('_gte', '>='), operator('_lte', '<='));
  if (isString(type))
    for (const [field, sql, text] of STRING_OPERATORS) all.push(operator(field, sql, value, text));
  if (type.kind === 'array')
    all.push(
      operator('_contains', '@>', value, 'does the array contain the given value'),
      operator('_contained_in', '<@', value, 'is the array contained in the given array value'),
    );
  if (type.name === 'jsonb') all.push(...jsonbFields(builder, operator, value, name));
  if (type.name === 'ltree') all.push(...ltreeFields(builder, operator, value, arrayOfLeaf));
  if (type.name === 'geometry' || type.name === 'geography')
    all.push(...spatialFields(builder, type, operator, value));
  return all;
}

type Operator = (field: string, sql: ComparisonOperator, of?: TypeRef, description?: string) => InputField;

function jsonbFields(
  builder: Builder,
  operator: Operator,
  value: TypeRef,
  name: (operator: string) => string,
): InputField[] {
  const text = columnScalar(builder, TEXT);
  const texts: TypeRef = { kind: 'list', of: required(text), nullable: false, array: arrayOf(TEXT) };
  const cast = builder.once('jsonb cast', () =>
    inputType(builder.names.typeCase('jsonb_cast_exp'), undefined, () => [
      optional('String', required(comparisonType(builder, TEXT)), { kind: 'cast', type: TEXT }),
    ]),
  );
  return [
    optional(name('_cast'), required(cast), { kind: 'cast' }),
    operator('_contains', '@>', value, 'does the column contain the given json value at the top level'),
    operator('_contained_in', '<@', value, 'is the column contained in the given json value'),
    operator(
      '_has_key',
      '?',
      { kind: 'named', type: text, nullable: true },
      'does the string exist as a top-level key in the column',
    ),
    operator('_has_keys_any', '?|', texts, 'do any of these strings exist as top-level keys in the column'),
    operator('_has_keys_all', '?&', texts, 'do all of these strings exist as top-level keys in the column'),
  ];
}

function ltreeFields(builder: Builder, operator: Operator, value: TypeRef, values: TypeRef): InputField[] {
  const lquery = baseType('lquery');
  const text = columnScalar(builder, TEXT);
  const queries: TypeRef = { kind: 'list', of: required(text), nullable: false, array: arrayOf(lquery) };
  return [
    operator('_ancestor', '@>', value, 'is the left argument an ancestor of right (or equal)?'),
    operator('_ancestor_any', '@>', values, 'does array contain an ancestor of `ltree`?'),
    operator('_descendant', '<@', value, 'is the left argument a descendant of right (or equal)?'),
    operator('_descendant_any', '<@', values, 'does array contain a descendant of `ltree`?'),
    operator('_matches', '~', required(columnScalar(builder, lquery)), 'does `ltree` match `lquery`?'),
    operator('_matches_any', '?', queries, 'does `ltree` match any `lquery` in array?'),
    operator(
      '_matches_fulltext',
      '@',
      required(columnScalar(builder, baseType('ltxtquery'))),
      'does `ltree` match `ltxtquery`?',
    ),
  ];
}

/** Those whose right side is an object; what the SQL function takes is given in its order. */
function compound(
  builder: Builder,
  field: string,
  operator: ComparisonOperator,
  input: readonly [name: string, ...fields: InputField[]],
  order: readonly (readonly [name: string, type: PgType])[],
  description?: string,
): InputField {
  const [name, ...fields] = input;
  const type = builder.once(name, () => inputType(name, undefined, () => fields));
  return optional(
    builder.names.fieldCase(field),
    required(type),
    { kind: 'operator', operator, arguments: order },
    description,
  );
}

function rasterFields(builder: Builder, operator: Operator, value: TypeRef): InputField[] {
  const geometry = baseType('geometry');
  const band = columnScalar(builder, INTEGER);
  const shape = mandatory('geommin', required(columnScalar(builder, geometry)), ARGUMENT);
  return [
    operator('_st_intersects_rast', 'ST_Intersects', value),
    compound(
      builder,
      '_st_intersects_nband_geom',
      'ST_Intersects',
      ['st_intersects_nband_geom_input', mandatory('nband', required(band), ARGUMENT), shape],
      [
        ['nband', INTEGER],
        ['geommin', geometry],
      ],
    ),
    compound(
      builder,
      '_st_intersects_geom_nband',
      'ST_Intersects',
      ['st_intersects_geom_nband_input', shape, optional('nband', required(band), ARGUMENT)],
      [
        ['geommin', geometry],
        ['nband', INTEGER],
      ],
    ),
  ];
}

/** Null is allowed, and is what makes the function answer null. */
function useSpheroid(builder: Builder): InputField {
  const type: TypeRef = { kind: 'named', type: columnScalar(builder, BOOLEAN), nullable: true };
  return { ...mandatory('use_spheroid', type, ARGUMENT), default: true };
}

function spatialFields(builder: Builder, type: PgType, operator: Operator, value: TypeRef): InputField[] {
  const isGeography = type.name === 'geography';
  const within = (field: string, sql: ComparisonOperator, description: string) =>
    compound(
      builder,
      field,
      sql,
      [
        isGeography ? 'st_d_within_geography_input' : 'st_d_within_input',
        mandatory('distance', required(columnScalar(builder, FLOAT)), ARGUMENT),
        mandatory('from', value, ARGUMENT),
        ...(isGeography ? [useSpheroid(builder)] : []),
      ],
      [['from', type], ['distance', FLOAT], ...(isGeography ? ([['use_spheroid', BOOLEAN]] as const) : [])],
      description,
    );
  const other = isGeography ? baseType('geometry') : baseType('geography');
  const cast = builder.once(`${type.name} cast`, () =>
    inputType(builder.names.typeCase(`${type.name}_cast_exp`), undefined, () => [
      optional(other.name, required(comparisonType(builder, other)), { kind: 'cast', type: other }),
    ]),
  );
  const shared: InputField[] = [optional('_cast', required(cast), { kind: 'cast' })];
  if (isGeography)
    return [
      ...shared,
      operator(
        '_st_intersects',
        'ST_Intersects',
        value,
        'does the column spatially intersect the given geography value',
      ),
      within(
        '_st_d_within',
        'ST_DWithin',
        'is the column within a given distance from the given geography value',
      ),
    ];
  return [
    ...shared,
    ...SPATIAL_OPERATORS.map(([field, sql, text]) => operator(field, sql, value, text)),
    within(
      '_st_d_within',
      'ST_DWithin',
      'is the column within a given distance from the given geometry value',
    ),
    within(
      '_st_3d_d_within',
      'ST_3DDWithin',
      'is the column within a given 3D distance from the given geometry value',
    ),
  ];
}
