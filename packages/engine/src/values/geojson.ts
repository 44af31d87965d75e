/** Shapes as GeoJSON: checked as Hasura checks them, with its words. */
import { isNumber, numberText } from './number.ts';
import { type NumberLiteral, ScalarError } from './scalar.ts';

/** What PostGIS is told: nothing but what a shape consists of, positions of three numbers at most. */
export interface GeoJson {
  readonly type: string;
  readonly coordinates?: unknown;
  readonly geometries?: readonly GeoJson[];
  readonly crs?: unknown;
}

type Coordinate = number | NumberLiteral;
type Position = readonly Coordinate[];

const COORDINATES: Readonly<Record<string, (value: unknown) => unknown>> = {
  Point: readPosition,
  MultiPoint: listOf(readPosition),
  LineString: readLine,
  MultiLineString: listOf(readLine),
  Polygon: listOf(readRing),
  MultiPolygon: listOf(listOf(readRing)),
};

/** @throws {ScalarError} */
export function readGeoJson(value: unknown): GeoJson {
  if (!isObject(value)) return mismatch('Geometry', 'Object', value);
  const { type } = value;
  if (type === undefined) throw new ScalarError('key "type" not found');
  if (typeof type !== 'string') return mismatch('String', 'String', type);
  if (type === 'GeometryCollection')
    return { type, geometries: list('[]', required(value, 'geometries')).map(readGeoJson) };
  const read = Object.hasOwn(COORDINATES, type) ? COORDINATES[type] : undefined;
  if (read === undefined) throw new ScalarError(`unexpected geometry type: ${type}`);
  const coordinates = read(required(value, 'coordinates'));
  return value.crs == null ? { type, coordinates } : { type, coordinates, crs: value.crs };
}

function required(value: Readonly<Record<string, unknown>>, key: string): unknown {
  if (value[key] === undefined) throw new ScalarError(`key "${key}" not found`);
  return value[key];
}

function readPosition(value: unknown): Position {
  const numbers = list('Position', value);
  for (const number of numbers)
    if (!isNumber(number)) throw new ScalarError(`parsing Double failed, unexpected ${jsonKind(number)}`);
  if (numbers.length < 2) throw new ScalarError('A Position needs at least 2 elements');
  return numbers.filter(isNumber).slice(0, 3);
}

function readLine(value: unknown): readonly Position[] {
  const positions = list('LineString', value).map(readPosition);
  if (positions.length < 2) throw new ScalarError('A LineString needs at least 2 Positions');
  return positions;
}

function readRing(value: unknown): readonly Position[] {
  const positions = list('LinearRing', value).map(readPosition);
  if (positions.length < 4) throw new ScalarError('A LinearRing needs at least 4 Positions');
  const place = (position: Position | undefined) => (position ?? []).map((one) => Number(numberText(one)));
  if (String(place(positions[0])) !== String(place(positions.at(-1))))
    throw new ScalarError('the first and last locations have to be equal for a LinearRing');
  return positions;
}

function listOf<Item>(read: (value: unknown) => Item): (value: unknown) => readonly Item[] {
  return (value) => list('[]', value).map(read);
}

function list(what: string, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : mismatch(what, 'Array', value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return jsonKind(value) === 'Object';
}

function mismatch(what: string, expected: string, value: unknown): never {
  throw new ScalarError(`parsing ${what} failed, expected ${expected}, but encountered ${jsonKind(value)}`);
}

/** What aeson calls a JSON value. */
export function jsonKind(value: unknown): string {
  if (value === null) return 'Null';
  if (Array.isArray(value)) return 'Array';
  if (isNumber(value)) return 'Number';
  if (typeof value === 'boolean') return 'Boolean';
  return typeof value === 'string' ? 'String' : 'Object';
}
