/** Adds the matchers to Jest's `expect`: `import '@orrery/testing/jest'`, or in `setupFilesAfterEnv`. */
import type {} from 'expect';
import { matchers } from './matchers.js';
import type { ClusterMatchers } from './matchers.js';

declare global {
  // The types of @types/jest.
  // oxlint-disable-next-line typescript/no-namespace -- how @types/jest is extended
  namespace jest {
    // oxlint-disable-next-line typescript/no-empty-object-type -- merged into Jest's own
    interface Matchers<R> extends ClusterMatchers<R> {}
  }
}

declare module 'expect' {
  // The types of @jest/globals.
  // oxlint-disable-next-line typescript/no-empty-object-type -- merged into Jest's own
  interface Matchers<R> extends ClusterMatchers<R> {}
}

const { expect } = globalThis as unknown as {
  expect?: { extend(matchers: object): void };
};
if (!expect)
  throw new Error(
    "@orrery/testing/jest is for Jest with its globals; else expect.extend(matchers) of '@orrery/testing'",
  );
expect.extend(matchers);
