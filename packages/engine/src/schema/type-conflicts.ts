/** Types of several sources that have one name and yet differ: then the metadata as a whole is refused. */
import { EngineError } from '#base/errors.ts';
import type { NamedType, RoleSchema } from '#ir/schema.ts';
import { typeText } from '#ir/type-text.ts';
import { byName, rootsOf, type TypePath, walkTypes } from './all-types.ts';

/**
 * As in Hasura, types are alike where the names inside of them are.
 *
 * @returns whether any object type of several sources has one name: for other roles it may then differ
 * @throws {EngineError} `unexpected`, with both definitions
 */
export function assertNoTypeConflicts(schema: RoleSchema): boolean {
  const first = new Map<string, { readonly type: NamedType; readonly path: TypePath }>();
  const alike = new Set<NamedType>();
  let isShared = false;
  walkTypes(rootsOf(schema), (type, path) => {
    const known = first.get(type.name);
    if (known === undefined) {
      first.set(type.name, { type, path });
      return true;
    }
    if (known.type === type || alike.has(type)) return false;
    if (namesIn(known.type) !== namesIn(type)) throw conflict(type, path, known.type, known.path);
    alike.add(type);
    isShared ||= type.kind === 'object';
    return false;
  });
  return isShared;
}

function namesIn(type: NamedType): string {
  switch (type.kind) {
    case 'scalar':
      return 'scalar';
    case 'enum':
      return `enum ${[...type.values.keys()].sort().join()}`;
    default:
      return `${type.kind} ${[...type.fields.keys()].sort().join()}`;
  }
}

function conflict(type: NamedType, path: TypePath, known: NamedType, knownPath: TypePath): EngineError {
  return new EngineError(
    'unexpected',
    `Found conflicting definitions for GraphQL type '${type.name}'.  ` +
      `The definition at '${written(path)}' differs from the definition at e.g. '${written(knownPath)}'.\n` +
      `Former has definition:\n${definition(type)}\nLatter has definition:\n${definition(known)}`,
  );
}

function written(path: TypePath): string {
  return path.outer === undefined ? path.name : `${written(path.outer)}.${path.name}`;
}

function definition(type: NamedType): string {
  switch (type.kind) {
    case 'scalar':
      return `scalar ${type.name}`;
    case 'enum':
      return `enum ${type.name} {${[...type.values.keys()].sort().join('\n  ')}\n}`;
    case 'input':
    case 'object': {
      const fields = byName<{ name: string; type: Parameters<typeof typeText>[0] }>(type.fields.values());
      const lines = fields.map((field) => `${field.name}: ${typeText(field.type)}`);
      return `${type.kind === 'object' ? 'type' : 'input'} ${type.name} { ${lines.join('\n  ')}\n}`;
    }
  }
}
