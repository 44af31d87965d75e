/** The functions that every Kriti template may call. */
import { isPlainObject, type Json } from '#values/json.ts';
import { KritiError } from './tree.ts';

type KritiFunction = (value: Json) => Json;

export const FUNCTIONS: Readonly<Record<string, KritiFunction>> = {
  empty: (value) => {
    if (typeof value === 'boolean') throw wrongType('empty', value);
    if (value === null || value === 0 || value === '') return true;
    if (Array.isArray(value)) return value.length === 0;
    return isPlainObject(value) && Object.keys(value).length === 0;
  },
  size: (value) => {
    if (typeof value === 'string') return [...value].length;
    if (Array.isArray(value)) return value.length;
    return isPlainObject(value) ? Object.keys(value).length : Number(value);
  },
  inverse: (value) => {
    if (typeof value === 'string') return [...value].reverse().join('');
    if (Array.isArray(value)) return value.toReversed();
    if (typeof value === 'number') return 1 / value;
    return typeof value === 'boolean' ? !value : value;
  },
  head: (value) => {
    const [first] = sequence('head', value);
    if (first === undefined) throw new KritiError('Function Error', 'head: the value is empty');
    return first;
  },
  tail: (value) => {
    const rest = sequence('tail', value).slice(1);
    return typeof value === 'string' ? rest.join('') : rest;
  },
  toCaseFold: (value) => text('toCaseFold', value).toLowerCase(),
  toLower: (value) => text('toLower', value).toLowerCase(),
  toUpper: (value) => text('toUpper', value).toUpperCase(),
  toTitle: (value) =>
    text('toTitle', value).replace(
      /\p{L}+/gu,
      (word) => `${word.charAt(0).toUpperCase()}${word.slice(1).toLowerCase()}`,
    ),
  fromPairs: (value) => Object.fromEntries(list('fromPairs', value).map(pair)),
  toPairs: (value) => {
    if (!isJsonObject(value)) throw wrongType('toPairs', value);
    return Object.entries(value).map(([key, item]) => [key, item]);
  },
  removeNulls: (value) => list('removeNulls', value).filter((item) => item !== null),
  concat: (value) => {
    const items = list('concat', value);
    if (items.every((item) => typeof item === 'string')) return items.join('');
    if (items.every((item) => Array.isArray(item))) return items.flat();
    if (items.every(isJsonObject)) return Object.assign({}, ...items);
    throw wrongType('concat', value);
  },
  not: (value) => {
    if (typeof value !== 'boolean') throw wrongType('not', value);
    return !value;
  },
  escapeUri: (value) => encodeURIComponent(text('escapeUri', value)),
};

export function isJsonObject(value: Json): value is { [key: string]: Json } {
  return isPlainObject(value);
}

function text(name: string, value: Json): string {
  if (typeof value !== 'string') throw wrongType(name, value);
  return value;
}

function list(name: string, value: Json): Json[] {
  if (!Array.isArray(value)) throw wrongType(name, value);
  return value;
}

function sequence(name: string, value: Json): Json[] {
  return typeof value === 'string' ? [...value] : list(name, value);
}

function pair(value: Json): [string, Json] {
  if (!Array.isArray(value)) throw wrongType('fromPairs', value);
  const [key, item] = value;
  if (typeof key !== 'string' || item === undefined) throw wrongType('fromPairs', value);
  return [key, item];
}

function wrongType(name: string, value: Json): KritiError {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return new KritiError('Function Error', `${name} does not take ${kind}`);
}
