import { describe, expect, test } from 'vitest';
import { readGeoJson } from '#values/geojson.ts';
import { NumberLiteral } from '#values/scalar.ts';

const RING = [
  [0, 0],
  [5, 0],
  [5, 5],
  [0, 0],
];
const CRS = { type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::3857' } };

describe('a shape as GeoJSON', () => {
  test.each([
    ['a point', { type: 'Point', coordinates: [1, 2] }],
    ['a point in a system of coordinates', { type: 'Point', coordinates: [1, 2], crs: CRS }],
    ['points', { type: 'MultiPoint', coordinates: [[1, 2]] }],
    ['a line', { type: 'LineString', coordinates: RING }],
    ['lines', { type: 'MultiLineString', coordinates: [RING] }],
    ['a polygon', { type: 'Polygon', coordinates: [RING, RING] }],
    ['polygons', { type: 'MultiPolygon', coordinates: [[RING]] }],
    ['a collection', { type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [1, 2, 3] }] }],
  ])('%s is taken as it is', (_, shape) => {
    expect(readGeoJson(shape)).toEqual(shape);
  });

  test('what is no part of a shape is left out, a fourth coordinate too', () => {
    expect(readGeoJson({ type: 'Point', coordinates: [1, 2, 3, 4], bbox: [], crs: null })).toEqual({
      type: 'Point',
      coordinates: [1, 2, 3],
    });
  });

  test('a ring of long numbers is closed where they are equal', () => {
    const ring = (last: string) => [...RING.slice(0, 3), [0, new NumberLiteral(last)]];
    const polygon = (last: string) => ({ type: 'Polygon', coordinates: [ring(last)] });
    expect(readGeoJson(polygon('0.00000000000000000000e1'))).toBeDefined();
    expect(() => readGeoJson(polygon('1.00000000000000000000'))).toThrow(/have to be equal/);
  });

  test.each<[unknown, string]>([
    [5, 'parsing Geometry failed, expected Object, but encountered Number'],
    [null, 'parsing Geometry failed, expected Object, but encountered Null'],
    [{}, 'key "type" not found'],
    [{ type: 5 }, 'parsing String failed, expected String, but encountered Number'],
    [{ type: 'toString' }, 'unexpected geometry type: toString'],
    [{ type: 'Point' }, 'key "coordinates" not found'],
    [{ type: 'Point', coordinates: 5 }, 'parsing Position failed, expected Array, but encountered Number'],
    [{ type: 'Point', coordinates: [1] }, 'A Position needs at least 2 elements'],
    [{ type: 'Point', coordinates: [1, true] }, 'parsing Double failed, unexpected Boolean'],
    [{ type: 'LineString', coordinates: [[1, 2]] }, 'A LineString needs at least 2 Positions'],
    [{ type: 'Polygon', coordinates: [RING.slice(1)] }, 'A LinearRing needs at least 4 Positions'],
    [
      { type: 'Polygon', coordinates: [[...RING, [1, 1]]] },
      'the first and last locations have to be equal for a LinearRing',
    ],
    [{ type: 'GeometryCollection' }, 'key "geometries" not found'],
  ])('%j is refused: %s', (shape, message) => {
    expect(() => readGeoJson(shape)).toThrow(message);
  });
});
