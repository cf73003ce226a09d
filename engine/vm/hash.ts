/**
 * Hashes of a machine's state, to notice when it repeats: a guest that faults, is serviced and faults again in the same state never gets on.
 *
 * A hash is an integer below 2^53 and the same on every platform. Seeds chain: hashMemory(memory, hashThread(thread)). The loop budget is left
 * out, for it only ever goes down.
 */
import type { Memory } from './memory.ts';
import { HIGH, LOW, type SlotArray } from './slots.ts';
import type { Thread } from './thread.ts';

/** Two 32-bit lanes, mixed with different primes. */
class Hash {
  private first: number;
  private second: number;

  constructor(seed: number) {
    this.first = 0x9e3779b9 ^ seed;
    this.second = 0x85ebca6b ^ Math.floor(seed / 2 ** 32);
  }

  word(word: number): void {
    let first = Math.imul(this.first ^ word, 0xcc9e2d51);
    first ^= first >>> 15;
    let second = Math.imul(this.second ^ word, 0x1b873593);
    second ^= second >>> 13;
    this.first = Math.imul(first, 0x2545f491);
    this.second = Math.imul(second, 0x6c62272f);
  }

  slots(slots: SlotArray, from: number, to: number): void {
    const words = new Int32Array(slots.values.buffer);
    const { values, halves } = slots;
    for (let i = from; i < to; i++) {
      const wide = Number.isNaN(values[i]);
      // A wide integer's words could be those of a double: the mark tells them apart.
      if (wide) this.word(0x57494445);
      const source = wide ? halves : words;
      this.word(source[i * 2 + LOW]);
      this.word(source[i * 2 + HIGH]);
    }
  }

  result(): number {
    const first = Math.imul(this.first ^ (this.first >>> 16), 0x85ebca6b) ^ (this.second >>> 13);
    const second = Math.imul(this.second ^ (this.second >>> 16), 0xc2b2ae35) ^ (this.first >>> 16);
    return (second & 0x1fffff) * 2 ** 32 + (first >>> 0);
  }
}

/** Hash of a thread: status, frames and live registers. */
export function hashThread(thread: Thread, seed = 0): number {
  const hash = new Hash(seed);
  hash.word(thread.number);
  hash.word(thread.status === 'running' ? 1 : thread.status === 'trapped' ? 2 : thread.status === 'done' ? 3 : 0);
  hash.word(thread.depth);
  for (let i = 0; i <= thread.depth; i++) {
    hash.word(thread.functions[i]);
    hash.word(thread.pcs[i]);
    hash.word(thread.fps[i]);
  }
  hash.slots(thread.registers, 0, thread.top);
  return hash.result();
}

/** Hash of all heap and static objects: which there are, which live, and what is in them. Linear in the slots in use. */
export function hashMemory(memory: Memory, seed = 0): number {
  const hash = new Hash(seed);
  hash.word(memory.count);
  for (let i = 1; i < memory.count; i++) hash.word(memory.limits[i]);
  hash.slots(memory.slots, 0, memory.top);
  return hash.result();
}
