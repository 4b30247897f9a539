import type { Random } from '@orrery/component';

/** Chance that repeats: the same seed gives the same numbers (mulberry32). */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const hex = (length: number): string => {
    let text = '';
    for (let i = 0; i < length; i++) text += Math.floor(next() * 16).toString(16);
    return text;
  };
  return { next, uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}` };
}

/** A whole number in [0, below). */
export function pickNumber(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}

/** One of the items; undefined when there is none. */
export function pick<T>(random: Random, items: readonly T[]): T | undefined {
  return items[pickNumber(random, items.length)];
}

export function chance(random: Random, probability: number): boolean {
  return random.next() < probability;
}
