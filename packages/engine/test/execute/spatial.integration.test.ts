/** What PostGIS is asked, on types and functions of its names: no server of the tests has it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_SESSION } from '#base/session.ts';
import { as, startCore, type TestCore } from '../support/core.ts';

const textType = (name: string) => `
CREATE TYPE ${name};
CREATE FUNCTION ${name}_in(cstring) RETURNS ${name} IMMUTABLE STRICT LANGUAGE internal AS 'textin';
CREATE FUNCTION ${name}_out(${name}) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
CREATE TYPE ${name} (INPUT = ${name}_in, OUTPUT = ${name}_out, LIKE = text);
CREATE CAST (${name} AS text) WITHOUT FUNCTION;
CREATE CAST (text AS ${name}) WITHOUT FUNCTION;`;

/** Its answer shows what it was given. */
const predicate = (call: string) =>
  `CREATE FUNCTION ${call} RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';`;

const SQL = `
${['geometry', 'geography', 'raster'].map(textType).join('')}
CREATE CAST (geometry AS geography) WITH INOUT;
CREATE CAST (geography AS geometry) WITH INOUT;
CREATE FUNCTION ST_GeomFromGeoJSON(text) RETURNS geometry IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1::geometry';
CREATE FUNCTION ST_RastFromHexWKB(text) RETURNS raster IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1::raster';
CREATE FUNCTION ST_AsGeoJSON(geometry, integer, integer) RETURNS text IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1::text';
CREATE FUNCTION ST_AsGeoJSON(geography, integer, integer) RETURNS text IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1::text';
${[
  'ST_Contains',
  'ST_Crosses',
  'ST_Equals',
  'ST_Overlaps',
  'ST_Touches',
  'ST_Within',
  'ST_3DIntersects',
  'ST_Intersects',
]
  .map((name) => predicate(`${name}(geometry, geometry)`))
  .join('\n')}
${predicate('ST_Intersects(geography, geography)')}
${predicate('ST_Intersects(raster, raster)')}
${predicate('ST_Intersects(raster, geometry, integer)')}
${predicate('ST_Intersects(raster, integer, geometry)')}
${predicate('ST_DWithin(geometry, geometry, double precision)')}
${predicate('ST_3DDWithin(geometry, geometry, double precision)')}
${predicate('ST_DWithin(geography, geography, double precision, boolean)')}
CREATE TABLE place (id serial PRIMARY KEY, shape geometry, spot geography, photo raster);
`;

const POINT = { type: 'Point', coordinates: [1, 2] };
const LITERAL = '{type: "Point", coordinates: [1, 2]}';
const SOURCE = {
  tables: [
    {
      table: 'place',
      select_permissions: [
        {
          role: 'user',
          permission: {
            columns: ['id', 'spot'],
            filter: {
              _and: [
                { shape: { _st_d_within: { distance: 5, from: POINT } } },
                { spot: { _st_d_within: { distance: 5, from: 'X-Hasura-Spot', use_spheroid: false } } },
                { shape: { $st_intersects: POINT } },
              ],
            },
          },
        },
      ],
    },
  ],
};

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SQL, SOURCE);
});
afterAll(() => core.close());

const binary = [
  'contains',
  'crosses',
  'equals',
  'overlaps',
  'touches',
  'within',
  'intersects',
  '3d_intersects',
];

const SHAPES: readonly {
  name: string;
  query: string;
  variables?: Record<string, unknown>;
  session?: typeof ADMIN_SESSION;
}[] = [
  {
    name: 'spatial relations',
    query: `{ place(where: {shape: {${binary.map((name) => `_st_${name}: ${LITERAL}`).join(', ')}}}) { id shape spot photo } }`,
  },
  {
    name: 'spatial distances',
    query: `query ($p: geometry!, $g: geography!, $d: Float!) { place(where: {shape: {_st_d_within: {distance: $d, from: $p}, _st_3d_d_within: {from: $p, distance: 2.5}}, spot: {_st_d_within: {from: $g, distance: $d}, _st_intersects: $g}}) { id } none: place(where: {spot: {_st_d_within: {from: $g, distance: 1, use_spheroid: null}}}) { id } }`,
    variables: { p: POINT, g: POINT, d: 100 },
  },
  {
    name: 'spatial casts',
    query: `{ place(where: {shape: {_cast: {geography: {_st_intersects: ${LITERAL}}}}, spot: {_cast: {geometry: {_st_within: ${LITERAL}}}}}) { id } }`,
  },
  {
    name: 'raster operators',
    query: `query ($r: raster!, $p: geometry!) { place(where: {photo: {_st_intersects_rast: $r, _st_intersects_nband_geom: {nband: 1, geommin: $p}, _st_intersects_geom_nband: {geommin: $p}}}) { id } band: place(where: {photo: {_st_intersects_geom_nband: {nband: 2, geommin: $p}}}) { id } }`,
    variables: { r: '0100ff', p: POINT },
  },
  {
    name: 'spatial row filter',
    query: '{ place { id spot } }',
    session: as('user', { 'x-hasura-spot': '{}' }),
  },
];

describe('shapes in queries', () => {
  test.each(SHAPES)('$name', async ({ name, query, variables = {}, session = ADMIN_SESSION }) => {
    core.statements();
    expect(await core.query(query, session, variables)).toHaveProperty('place', []);
    const fixture = core
      .statements()
      .flatMap(({ text, values }) => [
        `-- ${session.role} asks`,
        query,
        ...(Object.keys(variables).length === 0 ? [] : ['-- with', JSON.stringify(variables)]),
        '-- runs',
        text.replaceAll(/ (FROM|WHERE|AND) /g, '\n  $1 '),
        '-- with',
        JSON.stringify(values),
      ]);
    await expect(`${fixture.join('\n')}\n`).toMatchFileSnapshot(
      `../fixtures/queries/${name.replaceAll(/[^a-z]+/g, '-')}.txt`,
    );
  });
});

describe('shapes in mutations', () => {
  const insert = (objects: unknown) =>
    core.query(
      'mutation ($o: [place_insert_input!]!) { insert_place(objects: $o) { returning { shape spot photo } } }',
      ADMIN_SESSION,
      { o: objects },
    );

  test('are GeoJSON on the way in and out, rasters are hexadecimal digits', async () => {
    const row = { shape: POINT, spot: POINT, photo: '0100FF' };
    core.statements();
    expect(await insert([row, { ...row, shape: JSON.stringify(POINT) }, { photo: null }])).toEqual({
      insert_place: { returning: [row, row, { shape: null, spot: null, photo: null }] },
    });
    const [written] = core.statements().filter(({ text }) => text.includes('INSERT'));
    expect(written?.text).toMatch(/ST_GeomFromGeoJSON\(.*\)::geometry.*ST_RastFromHexWKB\(.*\)::raster/s);
  });

  test('an update sets them', async () => {
    await insert([{ shape: POINT }]);
    const moved = { type: 'Point', coordinates: [3, 4] };
    const update =
      'mutation ($g: geometry) { update_place(where: {}, _set: {shape: $g}) { returning { shape } } }';
    const answer = await core.query(update, ADMIN_SESSION, { g: moved });
    expect(answer).toHaveProperty('update_place.returning.0', { shape: moved });
  });

  test.each<[string, unknown, string]>([
    ['shape', { type: 'Point' }, 'key "coordinates" not found'],
    ['spot', 5, 'parsing Geometry failed, expected Object, but encountered Number'],
    ['photo', 'xyz', 'invalid hexadecimal representation of raster well known binary format'],
    ['photo', 5, 'expecting String for raster'],
  ])('a %s that is %j is refused', async (column, value, message) => {
    const insertion = 'mutation ($o: place_insert_input!) { insert_place_one(object: $o) { id } }';
    expect(await core.failure(insertion, ADMIN_SESSION, { o: { [column]: value } })).toBe(
      `parse-failed $.selectionSet.insert_place_one.args.object.${column} ${message}`,
    );
  });
});
