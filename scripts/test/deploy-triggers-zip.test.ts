import { crc32, inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { zipOf } from '../deploy-triggers/zip.ts';

/** Reads an archive of one file as unpackers do: from its end, by the directory. */
function unzip(archive: Buffer) {
  const end = archive.length - 22;
  expect(archive.toString('latin1', end, end + 4)).toBe('PK\x05\x06');
  expect(archive.readUInt16LE(end + 10)).toBe(1);
  const directory = archive.readUInt32LE(end + 16);
  expect(archive.toString('latin1', directory, directory + 4)).toBe('PK\x01\x02');
  const [packedSize, size, nameLength] = [
    archive.readUInt32LE(directory + 20),
    archive.readUInt32LE(directory + 24),
    archive.readUInt16LE(directory + 28),
  ];
  const name = archive.toString('utf8', directory + 46, directory + 46 + nameLength);
  const file = archive.readUInt32LE(directory + 42);
  expect(archive.toString('latin1', file, file + 4)).toBe('PK\x03\x04');
  const start = file + 30 + archive.readUInt16LE(file + 26);
  const content = inflateRawSync(archive.subarray(start, start + packedSize));
  expect(content.length).toBe(size);
  expect(crc32(content)).toBe(archive.readUInt32LE(directory + 16));
  const mode = archive.readUInt32LE(directory + 38) >>> 16;
  return { name, content, mode };
}

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a text', Buffer.from('export const handler = () => {};\n'.repeat(5_000))],
  ['bytes that cannot be packed', Buffer.from(Array.from({ length: 1_000 }, (_, at) => (at * 7919) % 251))],
])('an archive of %s holds it, readable for everybody', (_, content) => {
  const archive = zipOf('index.mjs', content);
  expect(unzip(archive)).toEqual({ name: 'index.mjs', content, mode: 0o100644 });
  expect(zipOf('index.mjs', content)).toEqual(archive);
});
