/**
 * Actions as they are used, once the metadata is checked.
 *
 * Glossary: the *handler* is the webhook an action calls; its *answer* is the handler's JSON; the *output*
 * is what the client gets of it.
 */
import type { Action, QualifiedName } from '#metadata/types.ts';
import type { RemoteSelection, TableView } from './tracked.ts';

/** A GraphQL type as it is written: `[Name!]!`. */
export type TypeShape =
  | { readonly kind: 'named'; readonly name: string; readonly nullable: boolean }
  | { readonly kind: 'list'; readonly of: TypeShape; readonly nullable: boolean };

export interface CustomField {
  readonly name: string;
  readonly description: string | undefined;
  readonly type: TypeShape;
}

/** From an object of the handler's answer to a table. */
export interface ObjectLink {
  readonly name: string;
  readonly kind: 'object' | 'array';
  readonly source: string;
  readonly target: QualifiedName;
  /** Pairs of (field of the object, column there). */
  readonly mapping: readonly (readonly [field: string, column: string])[];
}

export interface CustomObject {
  readonly name: string;
  readonly description: string | undefined;
  readonly fields: readonly CustomField[];
  readonly links: readonly ObjectLink[];
}

export interface TrackedAction {
  readonly name: string;
  readonly comment: string | undefined;
  readonly definition: Action['definition'];
  readonly arguments: readonly CustomField[];
  readonly output: TypeShape;
  /** Undefined: the output is a scalar or a list of scalars. */
  readonly outputObject: CustomObject | undefined;
  /** Whether `role` may call it; admin may always. */
  allows(role: string): boolean;
}

/** What a field of the schema means, where actions are concerned. */
export type ActionMeaning =
  /** Calls the handler and waits. */
  | { readonly kind: 'call'; readonly action: TrackedAction }
  /** Logs the call and answers with its id. */
  | { readonly kind: 'start'; readonly action: TrackedAction }
  /** The result of a logged call. */
  | { readonly kind: 'result'; readonly action: TrackedAction }
  | { readonly kind: 'result-id' | 'result-created-at' | 'result-errors' | 'result-output' }
  /** A field of the handler's answer. */
  | { readonly kind: 'value' }
  | {
      readonly kind: 'link';
      readonly link: ObjectLink;
      readonly selects: RemoteSelection;
      readonly view: TableView;
    };

/** What the client selected of an object of the answer. */
export interface OutputField {
  readonly alias: string;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'scalar'; readonly name: string }
    | { readonly kind: 'object'; readonly name: string; readonly fields: readonly OutputField[] }
    /** Rows of a table that belong to the object: a join of the operation, by these of its fields. */
    | { readonly kind: 'link'; readonly join: number; readonly keys: readonly string[] };
}

/** What the client selected of a logged call. */
export interface ResultField {
  readonly alias: string;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'id' | 'created-at' | 'errors' }
    | { readonly kind: 'output'; readonly fields: readonly OutputField[] };
}

/** A root field that an action answers. */
export type ActionNode =
  | {
      readonly kind: 'call';
      readonly action: TrackedAction;
      /** JSON text of the arguments. */
      readonly input: string;
      readonly fields: readonly OutputField[];
    }
  | { readonly kind: 'start'; readonly action: TrackedAction; readonly input: string }
  | {
      readonly kind: 'result';
      readonly action: TrackedAction;
      readonly id: string;
      readonly fields: readonly ResultField[];
    };
