import type { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

interface JestGlobals {
  readonly describe: typeof describe;
  readonly it: typeof it;
  readonly expect: typeof expect;
  readonly beforeAll: typeof beforeAll;
  readonly afterAll: typeof afterAll;
}

/** Jest's functions, taken when a suite is declared: importing them would make this library unusable outside Jest. */
export function jestGlobals(): JestGlobals {
  if (!('describe' in globalThis)) throw new Error('a suite can be declared only inside Jest');
  return globalThis as unknown as JestGlobals;
}
