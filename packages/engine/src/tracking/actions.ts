/** The metadata's actions, checked: those that can be used, and why others cannot. */
import type { Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { ADMIN_ROLE } from '#base/session.ts';
import type { CustomField, CustomObject, TrackedAction } from '#ir/actions.ts';
import type { TrackedSource } from '#ir/tracked.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import type { Action, Metadata } from '#metadata/types.ts';
import { fillTemplate } from '#outgoing/env-template.ts';
import { actionDefinition, typesDefinition } from './action-definition.ts';
import { isBuiltInScalar, postgresScalar } from './action-scalars.ts';
import { columnsFrom, describeProblems, type ReadTypes, readCustomTypes, readField } from './custom-types.ts';
import { baseName, readType } from './type-shape.ts';

export interface TrackedActions {
  readonly actions: readonly TrackedAction[];
  readonly objects: ReadonlyMap<string, CustomObject>;
  readonly inconsistencies: readonly InconsistentObject[];
}

/** @param sources left out where only the handlers matter: links to tables are then not checked */
export function trackActions(
  metadata: Metadata,
  env: Environment,
  sources?: readonly TrackedSource[],
): TrackedActions {
  const { custom_types: types } = metadata;
  const read = readCustomTypes(types, sources === undefined ? undefined : columnsFrom(sources));
  const inconsistencies: InconsistentObject[] = [];
  const usable =
    read.problems.length === 0 ? read : { objects: new Map<string, CustomObject>(), problems: [] };
  if (read.problems.length > 0) {
    inconsistencies.push({
      type: 'custom_types',
      name: 'custom_types custom_types',
      reason: `Inconsistent object: ${describeProblems(read.problems)}`,
      definition: typesDefinition(types),
    });
  }
  const actions: TrackedAction[] = [];
  for (const action of metadata.actions) {
    try {
      actions.push(trackAction(action, metadata, usable, env));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      inconsistencies.push({
        type: 'action',
        name: `action ${action.name}`,
        reason: `Inconsistent object: in action "${action.name}"; ${error.message}`,
        definition: actionDefinition(action),
      });
    }
  }
  return { actions, objects: usable.objects, inconsistencies };
}

function trackAction(action: Action, metadata: Metadata, types: ReadTypes, env: Environment): TrackedAction {
  const { definition } = action;
  const { custom_types: custom } = metadata;
  const inputs = new Set(
    [...custom.input_objects, ...custom.enums, ...custom.scalars].map(({ name }) => name),
  );
  const isScalar = (name: string) =>
    isBuiltInScalar(name) ||
    postgresScalar(name) !== undefined ||
    custom.scalars.some((one) => one.name === name);
  for (const argument of definition.arguments) {
    const shape = readType(argument.type);
    const base = shape === undefined ? argument.type : baseName(shape);
    if (shape === undefined || !(inputs.has(base) || isScalar(base))) {
      throw new EngineError(
        'invalid-params',
        `the type: "${base}" is not defined in custom types or it is not a scalar/enum/input_object`,
      );
    }
  }
  const output = readType(definition.output_type);
  const base = output === undefined ? definition.output_type : baseName(output);
  const outputObject = types.objects.get(base);
  if (output === undefined || (outputObject === undefined && !isScalar(base))) {
    throw new EngineError(
      'not-exists',
      `the type: "${base}" is not an object or scalar type defined in custom types`,
    );
  }
  if (outputObject !== undefined) checkLinks(definition, outputObject, types.objects);
  fillTemplate(definition.handler, env);
  const roles = rolesWith(new Set(action.permissions.map(({ role }) => role)), metadata);
  return {
    name: action.name,
    comment: action.comment,
    definition,
    arguments: definition.arguments.map(readField),
    output,
    outputObject,
    allows: (role) => role === ADMIN_ROLE || roles.has(role),
  };
}

function checkLinks(
  { type, kind }: Action['definition'],
  object: CustomObject,
  objects: ReadonlyMap<string, CustomObject>,
): void {
  const isNested = (field: CustomField) => objects.has(baseName(field.type));
  const nested = object.fields.filter(isNested);
  if (type === 'mutation' && kind === 'asynchronous') {
    if (object.links.length > 0 && nested.length > 0) {
      const names = nested.map(({ name }) => `"${name}"`).join(', ');
      throw new EngineError(
        'constraint-error',
        `Async action relations cannot be used with object fields: ${names}`,
      );
    }
    return;
  }
  const wrong = object.links.filter(({ mapping }) =>
    mapping.some(([field]) => nested.some(({ name }) => name === field)),
  );
  if (wrong.length > 0) {
    const names = wrong.map(({ name }) => `"${name}"`).join(', ');
    throw new EngineError(
      'constraint-error',
      `Relationships cannot be defined with nested object fields: ${names}`,
    );
  }
}

/** Roles with the permission of their own, and inherited roles with any parent that has it. */
function rolesWith(own: ReadonlySet<string>, { inherited_roles: inherited }: Metadata): ReadonlySet<string> {
  const roles = new Set(own);
  let before = -1;
  while (roles.size !== before) {
    before = roles.size;
    for (const { role_name: name, role_set: parents } of inherited) {
      if (parents.some((parent) => roles.has(parent))) roles.add(name);
    }
  }
  return roles;
}
