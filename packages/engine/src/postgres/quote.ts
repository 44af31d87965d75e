/**
 * Names and constants in SQL text. The only way to put a name into a statement is {@link ident}; values are
 * parameters (`sql/params.ts`). Nothing else of a client's or of the metadata may reach the text.
 */
import type { QualifiedName } from './catalog.ts';

/** A quoted identifier. Throws on a null byte, which PostgreSQL cannot hold. */
export function ident(name: string): string {
  if (name.includes('\0')) throw new TypeError('an identifier cannot hold a null byte');
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted, schema-qualified name. */
export function qualified(name: QualifiedName): string {
  return `${ident(name.schema)}.${ident(name.name)}`;
}

/**
 * A string constant, for what is part of the statement itself: keys of JSON objects, names of functions
 * in messages. Never for values of a client: those are parameters.
 */
export function literal(text: string): string {
  if (text.includes('\0')) throw new TypeError('a constant cannot hold a null byte');
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
