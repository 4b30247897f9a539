import type { CelType } from '../types/type.js';
import type { Range } from './range.js';
import { NOTHING, add, exactly, multiply, scale, union } from './range.js';

export interface CallEstimate {
  readonly cost: Range;
  /** Size of the result, where the call tells. */
  readonly size?: Range;
}

/** What is known of an operand. */
export interface Operand {
  readonly size: Range;
  readonly type: CelType;
  /** Size of the elements of a list. */
  readonly elementSize: Range;
  readonly literal?: unknown;
}

type Estimator = (operands: readonly Operand[], overload: string) => CallEstimate;

const TRAVERSAL = 0.1;
const REGEX = 0.25;
const LIST = 10;
const STRUCT = 40;
const ONE: CallEstimate = { cost: exactly(1) };

const sizeOf = (operands: readonly Operand[], index: number): Range =>
  operands[index]?.size ?? { min: 0, max: Infinity };

const traversal =
  (index: number, factor = 1, keepsSize = false): Estimator =>
  (operands) => {
    const size = sizeOf(operands, index);
    const cost = scale(size, factor * TRAVERSAL);
    return keepsSize ? { cost, size } : { cost };
  };

/** Comparing each element; elements that are strings cost their length. */
const perElement: Estimator = (operands) => {
  const [list] = operands;
  const size = sizeOf(operands, 0);
  if (list?.type.kind !== 'list') return { cost: scale(size, TRAVERSAL) };
  const { kind } = list.type.element;
  const isText = kind === 'string' || kind === 'bytes';
  const each = isText ? add(exactly(1), scale(list.elementSize, TRAVERSAL)) : exactly(1);
  return { cost: multiply(size, each) };
};

/** How often `part` can be replaced in a text, and what is kept of it. */
function replaced(text: Range, part: Range, by: Range): Range {
  let max: number;
  let kept = 0;
  if (part.min === 0) [max, kept] = [text.max + 1, text.max];
  else if (by.max <= part.min) [max, kept] = [0, text.max];
  else max = Math.ceil(text.max / part.min);
  let min: number;
  let keptMin = 0;
  if (part.max === 0) [min, keptMin] = [text.min + 1, text.min];
  else if (part.max <= by.min) [min, keptMin] = [0, text.min];
  else min = Math.ceil(text.min / part.max);
  return add(multiply({ min, max }, by), { min: keptMin, max: kept });
}

const replace: Estimator = (operands) => {
  const text = sizeOf(operands, 0);
  return {
    cost: scale(text, 2 * TRAVERSAL),
    size: replaced(text, sizeOf(operands, 1), sizeOf(operands, 2)),
  };
};

const split: Estimator = (operands) => {
  const text = sizeOf(operands, 0);
  const limit = operands[2]?.literal;
  const max = typeof limit === 'bigint' && limit >= 0n ? Number(limit) : text.max;
  return { cost: scale(text, 2 * TRAVERSAL), size: { min: 0, max } };
};

const join: Estimator = (operands) => {
  const list = sizeOf(operands, 0);
  const parts = multiply(list, operands[0]?.elementSize ?? NOTHING);
  const separators = { min: Math.max(list.min - 1, 0), max: Math.max(list.max - 1, 0) };
  const size = operands.length > 1 ? add(parts, multiply(sizeOf(operands, 1), separators)) : parts;
  return { cost: scale(size, TRAVERSAL), size };
};

const regex =
  (withSize: boolean): Estimator =>
  (operands) => {
    const text = sizeOf(operands, 0);
    const textCost = scale(add(text, exactly(1)), TRAVERSAL);
    const cost = multiply(textCost, scale(sizeOf(operands, 1), REGEX));
    return withSize ? { cost, size: { min: 0, max: text.max } } : { cost };
  };

const selector: Estimator = (operands) => {
  const text = sizeOf(operands, 1);
  return {
    cost: add(exactly(LIST), scale(text, TRAVERSAL), scale(scale(text, 0.5), LIST + STRUCT)),
  };
};

/** Addresses are 4 or 16 bytes. */
const ADDRESS: Range = { min: 4, max: 16 };
const contains =
  (extra: Range): Estimator =>
  (operands, overload) => {
    const parsing = overload.endsWith('_string') ? scale(sizeOf(operands, 1), TRAVERSAL) : NOTHING;
    return { cost: add(scale(add(ADDRESS, ADDRESS), TRAVERSAL), extra, parsing) };
  };

const comparison: Estimator = (operands) => {
  const max = Math.min(sizeOf(operands, 0).max, sizeOf(operands, 1).max);
  return { cost: scale({ min: max > 0 ? 1 : 0, max }, TRAVERSAL) };
};

const concatenation: Estimator = (operands, overload) => {
  const size = add(sizeOf(operands, 0), sizeOf(operands, 1));
  if (overload === 'add_list') return { cost: exactly(1), size };
  if (overload !== 'add_string' && overload !== 'add_bytes') return ONE;
  return { cost: scale(size, TRAVERSAL), size };
};

const listCall = (cost: Range, size: Range): CallEstimate => ({
  cost: add(cost, exactly(1 + LIST)),
  size,
});

const selfCompare =
  (index: number): Estimator =>
  (operands) => {
    const list = operands[index];
    const size = sizeOf(operands, index);
    const isText = list?.type.kind === 'list' && list.type.element.kind === 'string';
    return listCall(scale(multiply(size, size), isText ? 2 + TRAVERSAL : 2), sizeOf(operands, 0));
  };

const slice: Estimator = (operands) => {
  const [, from, to] = operands;
  const start = typeof from?.literal === 'bigint' ? Number(from.literal) : 0;
  const end = typeof to?.literal === 'bigint' ? Number(to.literal) : sizeOf(operands, 0).max;
  return listCall(exactly(Math.max(end - start, 0)), exactly(Math.max(end - start, 0)));
};

const range: Estimator = ([count]) => {
  const known = typeof count?.literal === 'bigint' ? exactly(Number(count.literal)) : undefined;
  const size = known ?? { min: 0, max: Infinity };
  return listCall(size, size);
};

const flatten: Estimator = (operands) => {
  const depth = typeof operands[1]?.literal === 'bigint' ? Number(operands[1].literal) : 1;
  return listCall(scale(sizeOf(operands, 0), depth), { min: 0, max: Infinity });
};

const pairs =
  (factor: number): Estimator =>
  (operands) => ({
    cost: add(scale(multiply(sizeOf(operands, 0), sizeOf(operands, 1)), factor), exactly(1)),
  });

const named = (names: string, estimator: Estimator): readonly (readonly [string, Estimator])[] =>
  names.split(' ').map((name) => [name, estimator] as const);

/** By function name; operands begin with the receiver (k8s library/cost.go:EstimateCallCost, cel-go checker/cost.go). */
const ESTIMATORS = new Map<string, Estimator>([
  ...named('check', () => ({ cost: exactly(350_000) })),
  ...named('fieldSelector labelSelector', selector),
  ...named('isSorted sum max min indexOf lastIndexOf', perElement),
  ...named('url jsonpatch.escapeKey lowerAscii upperAscii substring trim', traversal(0, 1, true)),
  ...named('replace', replace),
  ...named('split', split),
  ...named('join', join),
  ...named('find findAll', regex(true)),
  ...named('matches', regex(false)),
  ...named('cidr isIP isCIDR quantity isQuantity semver isSemver', traversal(0)),
  ...named('ip', (operands, overload) =>
    overload === 'cidr_ip' ? ONE : traversal(0)(operands, overload),
  ),
  ...named('ip.isCanonical', traversal(0, 2)),
  ...named('containsIP', contains(NOTHING)),
  ...named('containsCIDR', contains(add(scale(ADDRESS, TRAVERSAL), exactly(1)))),
  ...named('validate', (operands) => ({
    cost: scale(scale(sizeOf(operands, 1), TRAVERSAL), 128 * REGEX),
  })),
  ...named('format', (operands) => ({ cost: scale(sizeOf(operands, 0), TRAVERSAL) })),
  ...named('strings.quote', (operands) => {
    const { min, max } = sizeOf(operands, 0);
    return {
      cost: scale({ min, max }, TRAVERSAL),
      size: { min: min + 2, max: max * 2 + 2 },
    };
  }),
  ...named('startsWith endsWith', traversal(1)),
  ...named('contains', (operands) => ({
    cost: multiply(scale(sizeOf(operands, 0), TRAVERSAL), scale(sizeOf(operands, 1), TRAVERSAL)),
  })),
  ...named('_==_ _!=_', comparison),
  ...named('_+_', concatenation),
  ...named('sets.contains sets.intersects', pairs(1)),
  ...named('sets.equivalent', pairs(2)),
  ...named('distinct sort', selfCompare(0)),
  ...named('@sortByAssociatedKeys', selfCompare(1)),
  ...named('slice', slice),
  ...named('lists.range', range),
  ...named('flatten', flatten),
  ...named('reverse', (operands) => listCall(sizeOf(operands, 0), sizeOf(operands, 0))),
]);

function ofOverload(name: string, overload: string, operands: readonly Operand[]): CallEstimate {
  if (overload === 'in_list') return { cost: sizeOf(operands, 1) };
  if (/^(?:less|greater)(?:_equals)?_(?:string|bytes)$/.test(overload))
    return comparison(operands, overload);
  if (overload === 'string_to_bytes') {
    const { min, max } = sizeOf(operands, 0);
    return { cost: scale({ min, max }, TRAVERSAL), size: { min, max: max * 4 } };
  }
  if (overload === 'bytes_to_string') {
    const { min, max } = sizeOf(operands, 0);
    return { cost: scale({ min, max }, TRAVERSAL), size: { min: min / 4, max } };
  }
  return ESTIMATORS.get(name)?.(operands, overload) ?? ONE;
}

/** Covers all overloads that the call may come to. */
export function estimateCall(
  name: string,
  overloads: readonly string[],
  operands: readonly Operand[],
): CallEstimate {
  let cost: Range | undefined;
  let size: Range | undefined;
  for (const overload of overloads) {
    const one = ofOverload(name, overload, operands);
    cost = cost ? union(cost, one.cost) : one.cost;
    if (one.size) size = size ? union(size, one.size) : one.size;
  }
  return { cost: cost ?? exactly(1), ...(size ? { size } : {}) };
}
