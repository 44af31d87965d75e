/** Arrays of text as PostgreSQL sends them itself: nothing in them is escaped here, and nothing parsed there. */

const TEXT_OID = 25;
const HEADER = 20;

/** The values of a column, row by row, as one parameter of a statement that casts it to `text[]`. */
export class TextArray {
  readonly items: readonly (string | null)[];
  constructor(items: readonly (string | null)[]) {
    this.items = items;
  }

  /** What `pg` asks a value for. A lone surrogate becomes U+FFFD, as in any other parameter. */
  toPostgres(): Buffer {
    const { items } = this;
    const lengths = items.map((item) => (item === null ? -1 : Buffer.byteLength(item)));
    const size = lengths.reduce((sum, length) => sum + 4 + Math.max(length, 0), HEADER);
    const buffer = Buffer.allocUnsafe(size);
    // One dimension from 1 on, with nulls perhaps; or none where nothing is in it.
    buffer.writeInt32BE(items.length === 0 ? 0 : 1, 0);
    buffer.writeInt32BE(1, 4);
    buffer.writeInt32BE(TEXT_OID, 8);
    if (items.length === 0) return buffer.subarray(0, 12);
    buffer.writeInt32BE(items.length, 12);
    buffer.writeInt32BE(1, 16);
    let offset = HEADER;
    for (let index = 0; index < items.length; index += 1) {
      const length = lengths[index] ?? -1;
      offset = buffer.writeInt32BE(length, offset);
      if (length > 0) offset += buffer.write(items[index] ?? '', offset, length, 'utf8');
    }
    return buffer;
  }

  toJSON(): unknown {
    return this.items;
  }
}
