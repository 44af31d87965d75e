/** The handler's answer against the output type, and as the client selected it. */
import { EngineError } from '#base/errors.ts';
import type { CustomObject, OutputField, TypeShape } from '#ir/actions.ts';
import { isBuiltInScalar } from '#tracking/action-scalars.ts';
import { isPlainObject } from '#values/json.ts';
import { writeJson } from '#values/number.ts';
import { keyName, placeholderText } from '#values/placeholder.ts';
import { NumberLiteral } from '#values/scalar.ts';

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

/** Scalars whose values only the handler understands. */
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

/** JSON text of what the client selected; the answer as it is where its type has no fields. */
export function writeOutput(answer: unknown, fields: readonly OutputField[]): string {
  if (fields.length === 0) return writeJson(answer);
  if (Array.isArray(answer)) {
    return `[${answer.map((item) => (isPlainObject(item) ? writeObject(item, fields) : writeJson(item))).join(',')}]`;
  }
  return isPlainObject(answer) ? writeObject(answer, fields) : writeJson(answer);
}

function writeObject(answer: Readonly<Record<string, unknown>>, fields: readonly OutputField[]): string {
  const written = fields.flatMap(({ alias, value }) => {
    const text = writeField(answer, value);
    return text === undefined ? [] : [`${JSON.stringify(alias)}:${text}`];
  });
  return `{${written.join(',')}}`;
}

/** Undefined for an object that is missing in the answer: Hasura leaves the key out. */
function writeField(
  answer: Readonly<Record<string, unknown>>,
  value: OutputField['value'],
): string | undefined {
  switch (value.kind) {
    case 'text':
      return JSON.stringify(value.text);
    case 'scalar':
      return Object.hasOwn(answer, value.name) ? writeJson(answer[value.name]) : 'null';
    case 'object':
      return Object.hasOwn(answer, value.name) ? writeNested(answer[value.name], value.fields) : undefined;
    case 'link':
      return writeLink(answer, value.join, value.keys);
  }
}

/** A placeholder for the rows; null where the object has not its whole key, and so belongs to none. */
function writeLink(
  answer: Readonly<Record<string, unknown>>,
  join: number,
  fields: readonly string[],
): string {
  const values = fields.map((field) => answer[field] ?? null);
  if (values.includes(null)) return 'null';
  const keys = values.map((value, index) => `"${keyName(index)}":${writeJson(value)}`);
  return placeholderText({ join, keys: `{${keys.join(',')}}` });
}

function writeNested(answer: unknown, fields: readonly OutputField[]): string | undefined {
  if (answer === null) return 'null';
  if (Array.isArray(answer)) {
    const items = answer.map((item) => writeNested(item, fields)).filter((item) => item !== undefined);
    return `[${items.join(',')}]`;
  }
  return isPlainObject(answer) ? writeObject(answer, fields) : undefined;
}
