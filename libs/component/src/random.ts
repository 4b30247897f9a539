import { randomUUID } from 'node:crypto';

/** The only source of chance for components. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  uuid(): string;
}

export const RANDOM = Symbol('Random');

export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }

  uuid(): string {
    return randomUUID();
  }
}

/** The alphabet of generated names (k8s apimachinery/pkg/util/rand/rand.go: no vowels, no look-alikes). */
const ALPHANUMS = 'bcdfghjklmnpqrstvwxz2456789';

/** `length` characters that are safe in a name and spell nothing. */
export function randomSuffix(random: Random, length = 5): string {
  let text = '';
  for (let i = 0; i < length; i++)
    text += ALPHANUMS.charAt(Math.floor(random.next() * ALPHANUMS.length));
  return text;
}
