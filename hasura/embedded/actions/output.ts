/** The handler's answer against the output type, and as the client selected it. */
import { EngineError } from '../errors.ts';
import { isPlainObject } from '../metadata/kit.ts';
import { writeJson } from '../plan/number.ts';
import { NumberLiteral } from '../plan/scalar.ts';
import { isBuiltInScalar } from './scalars.ts';
import type { CustomObject, LinkedRows, OutputField, TypeShape } from './types.ts';

const wrong = (message: string) => new EngineError('unexpected', message, { status: 400 });

const NUMBERS = ['Int', 'Float'];
const STRINGS = ['String', 'ID'];

/** @throws {EngineError} `unexpected` where the answer does not fit; fields that no type names are ignored */
export function checkAnswer(answer: unknown, type: TypeShape, object: CustomObject | undefined): void {
  if (type.kind === 'named' && isFreeScalar(type.name, object)) return;
  if (answer === null) {
    if (!type.nullable) throw wrong('got null for the action webhook response');
    return;
  }
  if (type.kind === 'list') {
    if (!Array.isArray(answer)) throw wrong('expecting array for the action webhook response');
    for (const item of answer) checkAnswer(item, type.of, object);
    return;
  }
  const { name } = type;
  const got = (what: string) => wrong(`got ${what} for the action webhook response, expecting ${name}`);
  if (Array.isArray(answer)) throw got('array');
  if (isNumber(answer)) {
    if (!NUMBERS.includes(name)) throw got('scalar String');
  } else if (typeof answer === 'boolean') {
    if (name !== 'Boolean') throw got('scalar Boolean');
  } else if (typeof answer === 'string') {
    if (!STRINGS.includes(name)) throw got('scalar String');
  } else if (isPlainObject(answer)) {
    if (isBuiltInScalar(name)) throw got('object');
    checkObject(answer, object);
  }
}

const isNumber = (value: unknown) => typeof value === 'number' || value instanceof NumberLiteral;

/** Scalars whose values are the handler's own business. */
function isFreeScalar(name: string, object: CustomObject | undefined): boolean {
  return object === undefined && !isBuiltInScalar(name);
}

function checkObject(answer: Readonly<Record<string, unknown>>, object: CustomObject | undefined): void {
  for (const { name, type } of object?.fields ?? []) {
    if (type.nullable) continue;
    if (!Object.hasOwn(answer, name)) {
      throw wrong(`field "${name}" expected in webhook response, but not found`);
    }
    if (answer[name] === null) throw wrong(`expecting not null value for field "${name}"`);
  }
}

/** The objects that rows of a table are wanted for, in the order of the answer. */
export type LinkSites = Map<LinkedRows, Readonly<Record<string, unknown>>[]>;

/** All places of the answer where the client selected rows of a table. */
export function findLinks(
  answer: unknown,
  fields: readonly OutputField[],
  sites: LinkSites = new Map(),
): LinkSites {
  if (Array.isArray(answer)) for (const item of answer) findLinks(item, fields, sites);
  if (!isPlainObject(answer)) return sites;
  for (const { value } of fields) {
    if (value.kind === 'link') sites.set(value, [...(sites.get(value) ?? []), answer]);
    if (value.kind === 'object') findLinks(answer[value.name], value.fields, sites);
  }
  return sites;
}

/** JSON text of the rows that belong to an object. */
export type RowsOf = (link: LinkedRows, object: Readonly<Record<string, unknown>>) => string;

/** JSON text of what the client selected; the answer as it is where its type has no fields. */
export function writeOutput(answer: unknown, fields: readonly OutputField[], rowsOf: RowsOf): string {
  if (fields.length === 0) return writeJson(answer);
  if (Array.isArray(answer)) {
    return `[${answer.map((item) => (isPlainObject(item) ? writeObject(item, fields, rowsOf) : writeJson(item))).join(',')}]`;
  }
  return isPlainObject(answer) ? writeObject(answer, fields, rowsOf) : writeJson(answer);
}

function writeObject(
  answer: Readonly<Record<string, unknown>>,
  fields: readonly OutputField[],
  rowsOf: RowsOf,
): string {
  const written = fields.flatMap(({ alias, value }) => {
    const text = writeField(answer, value, rowsOf);
    return text === undefined ? [] : [`${JSON.stringify(alias)}:${text}`];
  });
  return `{${written.join(',')}}`;
}

/** Undefined for an object that the answer has not: Hasura leaves the key out. */
function writeField(
  answer: Readonly<Record<string, unknown>>,
  value: OutputField['value'],
  rowsOf: RowsOf,
): string | undefined {
  switch (value.kind) {
    case 'text':
      return JSON.stringify(value.text);
    case 'scalar':
      return Object.hasOwn(answer, value.name) ? writeJson(answer[value.name]) : 'null';
    case 'object':
      return Object.hasOwn(answer, value.name)
        ? writeNested(answer[value.name], value.fields, rowsOf)
        : undefined;
    case 'link':
      return rowsOf(value, answer);
  }
}

function writeNested(answer: unknown, fields: readonly OutputField[], rowsOf: RowsOf): string | undefined {
  if (answer === null) return 'null';
  if (Array.isArray(answer)) {
    const items = answer
      .map((item) => writeNested(item, fields, rowsOf))
      .filter((item) => item !== undefined);
    return `[${items.join(',')}]`;
  }
  return isPlainObject(answer) ? writeObject(answer, fields, rowsOf) : undefined;
}
