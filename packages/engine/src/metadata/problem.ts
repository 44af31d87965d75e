/** Collects what of the metadata does not fit the database, while the rest is used. */
import { displayName, type QualifiedName } from '#postgres/catalog.ts';
import type { Json } from '#values/json.ts';
import { ScalarError } from '#values/scalar.ts';

/** Why one object of the metadata is inconsistent; caught where that object is made. */
export class Problem extends Error {}

export interface Problems {
  readonly list: readonly InconsistentObject[];
  /** Makes one object; where that throws a {@link Problem}, the object is inconsistent and left out. */
  attempt<Made>(object: MetadataObject, make: () => Made): Made | undefined;
  add(object: InconsistentObject): void;
}

export interface MetadataObject {
  readonly type: string;
  readonly name: string;
  /** As JSON, but for keys that are undefined. */
  readonly definition: unknown;
  /** Put before the reason: `in table "users": in relationship "posts": `. */
  readonly context?: string;
}

export function createProblems(): Problems {
  const list: InconsistentObject[] = [];
  return {
    list,
    attempt(object, make) {
      try {
        return make();
      } catch (error) {
        if (!(error instanceof Problem || error instanceof ScalarError)) throw error;
        const { context = '', type, name, definition } = object;
        list.push({
          type,
          name,
          definition: json(definition),
          reason: `Inconsistent object: ${context}${error.message}`,
        });
        return undefined;
      }
    },
    add: (object) => list.push(object),
  };
}

/** Drops what JSON does not have. */
function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

export const inTable = (table: QualifiedName) => `in table "${displayName(table)}": `;

/** ` because …`, or a list of reasons. */
export function listReasons(reasons: readonly string[]): string {
  const [only] = reasons;
  if (reasons.length === 1) return `because ${only}`;
  return `for the following reasons:\n${reasons.map((reason) => `  • ${reason}\n`).join('')}`;
}

/** A part of the metadata that does not fit the database; the rest works without it. */
export interface InconsistentObject {
  /** Such as `table`, `object_relation`, `select_permission`. */
  readonly type: string;
  readonly name: string;
  readonly reason: string;
  /** Missing where it is no object of the metadata: a permission that could not be inherited. */
  readonly definition?: Json;
  readonly message?: Json;
  /** Of a permission that could not be inherited. */
  readonly entity?: Json;
}
