/**
 * The order in which Hasura goes through what it keeps in hash maps: the columns of a table, for one. It shows
 * where one `order_by` object has several keys, where an error lists columns, and where fields share a description.
 * The hash is XXH3 (64 bits).
 */

const MASK = (1n << 64n) - 1n;
const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_MX_1 = 0x165667919e3779f9n;
const PRIME_MX_2 = 0x9fb21c651e98df25n;
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364',
  'hex',
);
/** Names longer than PostgreSQL's; they come last. */
const LONGEST = 128;
/** Children of one node of the map, as bits of the hash. */
const BITS = 5n;

const secret = (at: number) => SECRET.readBigUInt64LE(at);

function swapBytes(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE();
}

function fold(a: bigint, b: bigint): bigint {
  const product = a * b;
  return (product & MASK) ^ (product >> 64n);
}

const rotate = (value: bigint, by: bigint) => ((value << by) | (value >> (64n - by))) & MASK;

/** The finish of short inputs. */
function finishShort(value: bigint): bigint {
  let hash = ((value ^ (value >> 33n)) * PRIME_2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME_3) & MASK;
  return hash ^ (hash >> 32n);
}

function finish(value: bigint): bigint {
  const hash = ((value ^ (value >> 37n)) * PRIME_MX_1) & MASK;
  return hash ^ (hash >> 32n);
}

/** @param bytes at most 128 of them */
function xxh3(bytes: Buffer, seed = 0n): bigint {
  const { length } = bytes;
  const size = BigInt(length);
  if (length === 0) return finishShort(seed ^ secret(56) ^ secret(64));
  if (length <= 3) {
    const [first, middle, last] = [0, length >> 1, length - 1].map((at) => BigInt(bytes.readUInt8(at)));
    const combined = ((first ?? 0n) << 16n) | ((middle ?? 0n) << 24n) | (last ?? 0n) | (size << 8n);
    const flip = BigInt((SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) >>> 0) + seed;
    return finishShort(combined ^ (flip & MASK));
  }
  if (length <= 8) {
    const words = BigInt(bytes.readUInt32LE(length - 4)) + (BigInt(bytes.readUInt32LE(0)) << 32n);
    // The seed's lower half, its bytes turned around, over its upper half.
    const turned = seed ^ ((swapBytes(seed & 0xffffffffn) >> 32n) << 32n);
    let hash = words ^ (((secret(8) ^ secret(16)) - turned) & MASK);
    hash = ((hash ^ rotate(hash, 49n) ^ rotate(hash, 24n)) * PRIME_MX_2) & MASK;
    hash = ((hash ^ ((hash >> 35n) + size)) * PRIME_MX_2) & MASK;
    return hash ^ (hash >> 28n);
  }
  if (length <= 16) {
    const low = bytes.readBigUInt64LE(0) ^ (((secret(24) ^ secret(32)) + seed) & MASK);
    const high = bytes.readBigUInt64LE(length - 8) ^ (((secret(40) ^ secret(48)) - seed) & MASK);
    return finish((size + swapBytes(low) + high + fold(low, high)) & MASK);
  }
  const mix = (at: number, key: number) =>
    fold(
      bytes.readBigUInt64LE(at) ^ ((secret(key) + seed) & MASK),
      bytes.readBigUInt64LE(at + 8) ^ ((secret(key + 8) - seed) & MASK),
    );
  let hash = size * PRIME_1;
  for (let pair = Math.floor((length - 1) / 32); pair >= 0; pair -= 1)
    hash += mix(16 * pair, 32 * pair) + mix(length - 16 * (pair + 1), 32 * pair + 16);
  return finish(hash & MASK);
}

/** What a hash of several parts starts from. */
const SALT = 0xcbf29ce484222325n;

function mix(salt: bigint, length: number): bigint {
  const size = BigInt(length);
  let hash = (swapBytes(size) + salt + fold(salt, size)) & MASK;
  hash = ((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  hash = ((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return hash ^ (hash >> 33n);
}

/** The hash of a name, or of a name of several parts; undefined for one that is too long. */
function hashOf(name: string | readonly string[]): bigint | undefined {
  const parts = (typeof name === 'string' ? [name] : name).map((part) => Buffer.from(part));
  if (parts.some((part) => part.length > LONGEST)) return undefined;
  if (typeof name === 'string') return parts.reduce((_, part) => xxh3(part), 0n);
  return parts.reduce((salt, part) => xxh3(part, mix(salt, part.length)), SALT);
}

/** The hash's path through the map's nodes, as text that compares. */
function pathOf(name: string | readonly string[]): string {
  let hash = hashOf(name);
  if (hash === undefined) return `~${String(name)}`;
  let path = '';
  for (let level = 0; level < 13; level += 1) {
    path += Number(hash & ((1n << BITS) - 1n)).toString(32);
    hash >>= BITS;
  }
  return path;
}

/**
 * The items in the order of Hasura's maps, where these have `nameOf` an item as their keys: a name, or the schema
 * and the name of a table or function.
 */
export function hashOrder<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string | readonly [schema: string, name: string],
): Item[] {
  if (items.length < 2) return [...items];
  return items
    .map((item) => ({ item, path: pathOf(nameOf(item)) }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map(({ item }) => item);
}
