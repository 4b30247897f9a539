import type { ClusterMatchers } from '../esm/index.js';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/no-empty-object-type -- merged into Vitest's own
  interface Matchers<T = unknown> extends ClusterMatchers<T> {}
}

export {};
