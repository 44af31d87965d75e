import { hash } from 'node:crypto';

/** The keys that a listing has named: enough of each to know it again. */
export interface KeySet {
  add(key: string): void;
  has(key: string): boolean;
  /** Adds keys that another process has seen. @param hashes as {@link hashKeys} makes them */
  addHashes(hashes: Buffer): void;
}

/** What is enough of each key to know it again, in bytes. */
export const HASH_BYTES = 8;

const FIRST_SLOTS = 1 << 12;

/**
 * Eight bytes of each key's hash, in an open table: a million keys take 16 to 32 MB, whatever their
 * length. Two keys that share all eight bytes are taken for one (a chance of one in 10^13 among a
 * million); that can only mean that something which is gone is kept until its next state.
 */
export function createKeySet(): KeySet {
  // Pairs of 32 bits; a pair of zeros is a free slot.
  let slots = new Uint32Array(FIRST_SLOTS * 2);
  let count = 0;

  function place(high: number, low: number): boolean {
    const mask = slots.length / 2 - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 2;
      if (slots[at] === high && slots[at + 1] === low) return false;
      if (slots[at] === 0 && slots[at + 1] === 0) {
        slots[at] = high;
        slots[at + 1] = low;
        return true;
      }
    }
  }

  function grow(): void {
    const before = slots;
    slots = new Uint32Array(before.length * 2);
    for (let at = 0; at < before.length; at += 2) {
      const [high = 0, low = 0] = [before[at], before[at + 1]];
      if (high !== 0 || low !== 0) place(high, low);
    }
  }

  function add(high: number, low: number): void {
    if (!place(high, low)) return;
    count += 1;
    if (count * 4 > slots.length) grow();
  }

  return {
    add(key) {
      add(...digest(key));
    },
    addHashes(hashes) {
      for (let at = 0; at + HASH_BYTES <= hashes.length; at += HASH_BYTES) {
        add(hashes.readUInt32LE(at), hashes.readUInt32LE(at + 4));
      }
    },
    has(key) {
      const [high, low] = digest(key);
      const mask = slots.length / 2 - 1;
      for (let slot = low & mask; ; slot = (slot + 1) & mask) {
        const at = slot * 2;
        if (slots[at] === high && slots[at + 1] === low) return true;
        if (slots[at] === 0 && slots[at + 1] === 0) return false;
      }
    },
  };
}

/** These keys for {@link KeySet.addHashes}, {@link HASH_BYTES} each. */
export function hashKeys(keys: readonly string[]): Buffer {
  const hashes = Buffer.alloc(keys.length * HASH_BYTES);
  for (const [index, key] of keys.entries()) {
    const [high, low] = digest(key);
    hashes.writeUInt32LE(high, index * HASH_BYTES);
    hashes.writeUInt32LE(low, index * HASH_BYTES + 4);
  }
  return hashes;
}

function digest(key: string): [high: number, low: number] {
  const bytes = hash('sha1', key, 'buffer');
  // One bit is always set, so that no key looks like a free slot.
  return [(bytes.readUInt32LE(0) | 1) >>> 0, bytes.readUInt32LE(4)];
}
