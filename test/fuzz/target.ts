import fc from 'fast-check';
import { DecodeError, ProtobufError, StatusError } from '@orrery/apimachinery';

/** One kind of input, and what must hold of whatever is made of it. */
export interface Target {
  readonly name: string;
  readonly inputs: fc.Arbitrary<unknown>;
  /** Throws when something does not hold. What refuses an input does so with an error of its own. */
  check(input: never): void;
}

export function target<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  check: (input: T) => void,
): Target {
  return { name, inputs, check: check as (input: never) => void };
}

/** What `work` gives; undefined when it refuses its input as it should. */
export function refusable<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof DecodeError || error instanceof ProtobufError) return undefined;
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Text of pieces that mean something to the reader, and of others that do not. */
export const soup = (pieces: readonly string[], maxLength = 24): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength }).map((all) => all.join('')),
    },
    {
      weight: 2,
      arbitrary: fc
        .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 5 })), { maxLength })
        .map((all) => all.join('')),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  );

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'name', 'key', 'value', '$patch', '$retainKeys', '__proto__'),
  fc.constantFrom('constructor', 'prototype', 'toString', '$setElementOrder/a', 'metadata', 'spec'),
  fc.string({ maxLength: 6 }),
);

/** JSON with the names that do harm where they are taken for more than data. */
export const values: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(null, true, false, 0, -0, 1, -1, 2 ** 53, 1e300, 0.5, '', 'a', '1', 'Always'),
      fc.string({ maxLength: 8 }),
      fc.integer(),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(names, tie('value')), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
  ),
})).value;
