import { crc32, deflateRawSync } from 'node:zlib';

const DEFLATED = 8;
/** The version of the format that knows deflation: 2.0. */
const VERSION = 20;
/** Made on Unix, an ordinary file that everybody may read: Lambda's user is another one. */
const MADE_ON_UNIX = (3 << 8) | VERSION;
const READABLE = 0o100644 * 0x1_0000;
/** 1980-01-01, the first day that the format knows: the same files make the same archive. */
const DAY = (1 << 5) | 1;

/** A ZIP archive of one file, as Lambda takes its code. */
export function zipOf(fileName: string, content: Buffer): Buffer {
  const name = Buffer.from(fileName, 'utf8');
  const packed = deflateRawSync(content, { level: 9 });
  // What both headers say alike, from the version that is needed to the length of the extra fields.
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(VERSION, 0);
  facts.writeUInt16LE(DEFLATED, 4);
  facts.writeUInt16LE(DAY, 8);
  facts.writeUInt32LE(crc32(content), 10);
  facts.writeUInt32LE(packed.length, 14);
  facts.writeUInt32LE(content.length, 18);
  facts.writeUInt16LE(name.length, 22);

  const file = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts, name, packed]);
  const madeBy = Buffer.alloc(2);
  madeBy.writeUInt16LE(MADE_ON_UNIX);
  // No comment, disk 0, no internal attributes; the file begins at 0.
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(READABLE, 6);
  const directory = Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), madeBy, facts, rest, name]);

  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(file.length, 16);
  return Buffer.concat([file, directory, end]);
}
