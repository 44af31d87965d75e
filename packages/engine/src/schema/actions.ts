/** The fields that actions add to a role's schema, and their types. */

import type { ActionMeaning, CustomField, CustomObject, ObjectLink, TrackedAction } from '#ir/actions.ts';
import type { InputField, NamedType, ObjectType, OutputField } from '#ir/schema.ts';
import type { Metadata } from '#metadata/types.ts';
import { builtInScalar, customScalar, postgresScalar, UUID_SCALAR } from '#tracking/action-scalars.ts';
import type { TrackedActions } from '#tracking/actions.ts';
import { baseName, readType, toRef } from '#tracking/type-shape.ts';
import {
  ARGUMENT,
  argumentsOf,
  enumType,
  inputType,
  mandatory,
  NO_ARGUMENTS,
  nullable,
  objectType,
  optional,
  required,
} from './builder.ts';
import type { Builders, ExtraFields } from './role.ts';
import { remoteFields } from './row-type.ts';

/** `extra` for `buildRoleSchema`. */
export function actionFields(tracked: TrackedActions, metadata: Metadata): ExtraFields {
  // One set of types per role's schema, which the list of its builders stands for.
  const made = new WeakMap<Builders, Types>();
  const typesFor = (builders: Builders): Types => {
    const types = made.get(builders) ?? createTypes(tracked, metadata, builders);
    made.set(builders, types);
    return types;
  };
  const allowed = (role: string) => tracked.actions.filter((action) => action.allows(role));
  const isAsync = ({ definition }: TrackedAction) =>
    definition.type === 'mutation' && definition.kind === 'asynchronous';
  return {
    query(role, builders) {
      const types = typesFor(builders);
      return allowed(role).flatMap((action) => {
        if (isAsync(action)) return [resultField(action, types)];
        return action.definition.type === 'query' ? [callField(action, types)] : [];
      });
    },
    mutation(role, builders) {
      const types = typesFor(builders);
      return allowed(role).flatMap((action) => {
        if (isAsync(action)) return [startField(action, types)];
        return action.definition.type === 'mutation' ? [callField(action, types)] : [];
      });
    },
    subscription(role, builders) {
      const types = typesFor(builders);
      return allowed(role)
        .filter(isAsync)
        .map((action) => resultField(action, types));
    },
  };
}

interface Types {
  input(name: string): NamedType;
  output(name: string): NamedType;
  /** Made once per name. */
  once(name: string, make: () => ObjectType): ObjectType;
}

const means = (action: ActionMeaning): OutputField['meaning'] => ({ kind: 'action', action });

function callField(action: TrackedAction, types: Types): OutputField {
  return {
    name: action.name,
    description: action.comment,
    get arguments() {
      return argumentsOf(...action.arguments.map((argument) => inputField(argument, types)));
    },
    type: toRef(action.output, types.output(baseName(action.output))),
    meaning: means({ kind: 'call', action }),
  };
}

function startField(action: TrackedAction, types: Types): OutputField {
  return {
    ...callField(action, types),
    get arguments() {
      return argumentsOf(...action.arguments.map((argument) => inputField(argument, types)));
    },
    type: required(UUID_SCALAR),
    meaning: means({ kind: 'start', action }),
  };
}

const ID_DESCRIPTION = 'the unique id of an action';

function resultField(action: TrackedAction, types: Types): OutputField {
  return {
    name: action.name,
    description: action.comment,
    arguments: argumentsOf(mandatory('id', required(UUID_SCALAR), ARGUMENT, ID_DESCRIPTION)),
    type:
      action.outputObject === undefined
        ? toRef(action.output, types.output(baseName(action.output)))
        : nullable(resultType(action, types)),
    meaning: means({ kind: 'result', action }),
  };
}

function resultType(action: TrackedAction, types: Types): ObjectType {
  return types.once(`result ${action.name}`, () =>
    objectType(action.name, `fields of action: "${action.name}"`, () => [
      plainField('id', ID_DESCRIPTION, required(UUID_SCALAR), { kind: 'result-id' }),
      plainField(
        'created_at',
        'the time at which this action was created',
        required(postgresScalar('timestamptz') ?? UUID_SCALAR),
        { kind: 'result-created-at' },
      ),
      plainField(
        'errors',
        'errors related to the invocation',
        nullable(postgresScalar('json') ?? UUID_SCALAR),
        { kind: 'result-errors' },
      ),
      plainField(
        'output',
        'the output fields of this action',
        toRef(action.output, types.output(baseName(action.output))),
        { kind: 'result-output' },
      ),
    ]),
  );
}

function plainField(
  name: string,
  description: string | undefined,
  type: OutputField['type'],
  meaning: ActionMeaning,
): OutputField {
  return { name, description, arguments: NO_ARGUMENTS, type, meaning: means(meaning) };
}

function inputField(field: CustomField, types: Types): InputField {
  const type = toRef(field.type, types.input(baseName(field.type)));
  const make = field.type.nullable ? optional : mandatory;
  return make(field.name, type, ARGUMENT, field.description);
}

function createTypes(tracked: TrackedActions, metadata: Metadata, builders: Builders): Types {
  const { custom_types: custom } = metadata;
  const leaves = new Map<string, NamedType>();
  const inputs = new Map<string, NamedType>();
  const outputs = new Map<string, ObjectType>();
  const leaf = (name: string): NamedType | undefined => {
    const known = leaves.get(name);
    if (known !== undefined) return known;
    const scalar = custom.scalars.find((one) => one.name === name);
    const values = custom.enums.find((one) => one.name === name);
    const type =
      builtInScalar(name) ??
      (scalar === undefined ? undefined : customScalar(name, scalar.description)) ??
      (values === undefined ? undefined : customEnum(values)) ??
      postgresScalar(name);
    if (type !== undefined) leaves.set(name, type);
    return type;
  };
  const types: Types = {
    input(name) {
      const known = leaf(name) ?? inputs.get(name);
      if (known !== undefined) return known;
      const definition = custom.input_objects.find((one) => one.name === name);
      if (definition === undefined) throw new TypeError(`${name} is no input type`);
      const type = inputType(name, definition.description, () =>
        definition.fields.map((field) =>
          inputField({ name: field.name, description: field.description, type: shape(field.type) }, types),
        ),
      );
      inputs.set(name, type);
      return type;
    },
    output(name) {
      const object = tracked.objects.get(name);
      if (object === undefined) {
        const known = leaf(name);
        if (known === undefined) throw new TypeError(`${name} is no output type`);
        return known;
      }
      return types.once(`object ${name}`, () =>
        objectType(name, object.description, () => [
          ...object.fields.map((field) =>
            plainField(field.name, field.description, toRef(field.type, types.output(baseName(field.type))), {
              kind: 'value',
            }),
          ),
          ...object.links.flatMap((link) => linkFields(object, link, builders)),
        ]),
      );
    },
    once(name, make) {
      const type = outputs.get(name) ?? make();
      outputs.set(name, type);
      return type;
    },
  };
  return types;
}

function shape(text: string) {
  const read = readType(text);
  if (read === undefined) throw new TypeError(`${text} is no type`);
  return read;
}

function customEnum(definition: Metadata['custom_types']['enums'][number]): NamedType {
  return enumType(
    definition.name,
    definition.description,
    definition.values.map(({ value, description }) => ({ name: value, description, value })),
  );
}

/** The tables an object leads to, where the role may read them. */
function linkFields(object: CustomObject, link: ObjectLink, builders: Builders): OutputField[] {
  const there = builders.find(({ source }) => source.name === link.source);
  const fields = remoteFields(there, link, (selects, view) => means({ kind: 'link', link, selects, view }));
  return fields.filter(({ name }) => !object.fields.some((field) => field.name === name));
}
