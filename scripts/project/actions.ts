import { LatchkeyError } from '@latchkey/core/errors';
import {
  type DocumentNode,
  type EnumTypeDefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  parse,
  print,
  type StringValueNode,
} from 'graphql';
import { z } from 'zod';

const named = z.looseObject({ name: z.string() });
const namedList = z
  .array(named)
  .nullish()
  .transform((list) => list ?? []);

/** actions.yaml: what GraphQL has no words for (handlers, permissions, relationships), by name. */
const actionsSchema = z.object({
  actions: z
    .array(named.extend({ definition: z.looseObject({}) }))
    .nullish()
    .transform((list) => list ?? []),
  custom_types: z
    .object({ enums: namedList, input_objects: namedList, objects: namedList, scalars: namedList })
    .partial()
    .nullish(),
});

type Described = { description?: StringValueNode | undefined };
type Field = { name: string; type: string; description?: string; arguments?: Field[] };
type CustomTypes = Record<'enums' | 'input_objects' | 'objects' | 'scalars', Record<string, unknown>[]>;

/**
 * Puts together what the hasura CLI keeps in two files: the types of actions in actions.graphql, the
 * rest in actions.yaml.
 *
 * @returns the metadata's `actions` and `custom_types`
 * @throws LatchkeyError `configuration-invalid` for what is in one of the files alone
 */
export function readActions(yaml: unknown, sdl: string): { actions: unknown[]; custom_types: CustomTypes } {
  const parsed = actionsSchema.safeParse(yaml ?? {});
  if (!parsed.success) throw invalid(`actions.yaml: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
  const { operations, types } = readSdl(sdl);

  const actions = parsed.data.actions.map((action) => {
    const operation = operations.get(action.name);
    if (operation === undefined)
      throw invalid(`actions.graphql has no field ${action.name}, which actions.yaml names`);
    operations.delete(action.name);
    return { ...action, definition: { ...action.definition, ...operation } };
  });
  const [orphan] = operations.keys();
  if (orphan !== undefined)
    throw invalid(`actions.yaml has no action ${orphan}, which actions.graphql names`);

  for (const [kind, further] of Object.entries(parsed.data.custom_types ?? {})) {
    for (const extra of further ?? []) {
      const type = types[kind as keyof CustomTypes].find(({ name }) => name === extra.name);
      if (type === undefined)
        throw invalid(`actions.graphql has no type ${extra.name}, which actions.yaml names`);
      Object.assign(type, extra);
    }
  }
  return { actions, custom_types: types };
}

type Operation = { type: 'query' | 'mutation'; arguments: Field[]; output_type: string };

function readSdl(sdl: string): { operations: Map<string, Operation>; types: CustomTypes } {
  const operations = new Map<string, Operation>();
  const types: CustomTypes = { enums: [], input_objects: [], objects: [], scalars: [] };
  for (const node of parseSdl(sdl).definitions) {
    switch (node.kind) {
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.OBJECT_TYPE_EXTENSION: {
        const root = ROOTS[node.name.value];
        if (root === undefined) {
          const described = node.kind === Kind.OBJECT_TYPE_DEFINITION ? node : {};
          types.objects.push({
            name: node.name.value,
            ...describe(described),
            fields: (node.fields ?? []).map(field),
          });
          break;
        }
        for (const one of node.fields ?? []) {
          const { arguments: args = [], name, type } = field(one);
          operations.set(name, { type: root, arguments: args, output_type: type });
        }
        break;
      }
      case Kind.INPUT_OBJECT_TYPE_DEFINITION:
        types.input_objects.push({
          name: node.name.value,
          ...describe(node),
          fields: (node.fields ?? []).map(input),
        });
        break;
      case Kind.ENUM_TYPE_DEFINITION:
        types.enums.push({ name: node.name.value, ...describe(node), values: enumValues(node) });
        break;
      case Kind.SCALAR_TYPE_DEFINITION:
        types.scalars.push({ name: node.name.value, ...describe(node) });
        break;
      default:
        throw invalid(`actions.graphql: Hasura knows no ${node.kind} there`);
    }
  }
  return { operations, types };
}

const ROOTS: Readonly<Record<string, 'query' | 'mutation'>> = { Query: 'query', Mutation: 'mutation' };

function parseSdl(sdl: string): Pick<DocumentNode, 'definitions'> {
  // A file without a definition is no document for graphql, but an empty one for us.
  if (sdl.replaceAll(/#.*|[\s,]/g, '') === '') return { definitions: [] };
  try {
    return parse(sdl);
  } catch (cause) {
    throw invalid(`actions.graphql: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function field(node: FieldDefinitionNode): Field {
  const args = node.arguments ?? [];
  return {
    name: node.name.value,
    type: print(node.type),
    ...describe(node),
    ...(args.length === 0 ? {} : { arguments: args.map(input) }),
  };
}

function input(node: InputValueDefinitionNode): Field {
  return { name: node.name.value, type: print(node.type), ...describe(node) };
}

function enumValues(node: EnumTypeDefinitionNode): unknown[] {
  return (node.values ?? []).map((value) => ({ value: value.name.value, ...describe(value) }));
}

function describe({ description }: Described): { description?: string } {
  return description === undefined ? {} : { description: description.value };
}

function invalid(message: string): LatchkeyError {
  return new LatchkeyError('configuration-invalid', `${message}.`);
}
