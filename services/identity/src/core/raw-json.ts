import { randomUUID } from 'node:crypto';
import { isJsonObject } from './payload.ts';
import type { Json } from './records.ts';

/**
 * JSON that is text already and is sent as it is: of a payload that has been read and is to be kept, neither
 * the parsed objects need be held nor their JSON written anew. (`JSON.rawJSON` takes neither objects nor lists.)
 */
export class RawJson {
  readonly text: string;

  /** @param text JSON that has been parsed, and so is valid */
  constructor(text: string) {
    this.text = text;
  }

  /** To anything but {@link stringify} it is its value. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/** What the ledger keeps of a delivery. */
export type Payload = Json | RawJson;

/** Stands for a text while all around it is written. It is random, so that no value can contain it. */
const PLACEHOLDER = randomUUID();
/** A request's body → its variables → a list of rows → a row → its column. A text below that is parsed. */
const MAX_DEPTH = 4;

/** `JSON.stringify`, with the text of each {@link RawJson} as it stands. */
export function stringify(value: unknown): string {
  const texts: string[] = [];
  const json = JSON.stringify(withPlaceholders(value, texts, MAX_DEPTH));
  if (texts.length === 0) return json;
  const [first = '', ...others] = json.split(`"${PLACEHOLDER}"`);
  return others.reduce((written, part, index) => written + texts[index] + part, first);
}

/** The same value; only what holds a text is copied. @param texts gets the texts, in their order */
function withPlaceholders(value: unknown, texts: string[], depth: number): unknown {
  if (value instanceof RawJson) {
    texts.push(value.text);
    return PLACEHOLDER;
  }
  if (depth === 0) return value;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (const [index, item] of value.entries()) {
      const replaced = withPlaceholders(item, texts, depth - 1);
      if (replaced === item) continue;
      copy ??= [...value];
      copy[index] = replaced;
    }
    return copy ?? value;
  }
  if (!isJsonObject(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const key in value) {
    const replaced = withPlaceholders(value[key], texts, depth - 1);
    if (replaced === value[key]) continue;
    copy ??= { ...value };
    copy[key] = replaced;
  }
  return copy ?? value;
}
