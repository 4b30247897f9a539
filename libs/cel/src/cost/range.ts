/** The least and the most of something: a size or a cost. Infinity stands for what upstream's 64 bits cannot hold. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export const UNKNOWN: Range = { min: 0, max: Infinity };
export const NOTHING: Range = { min: 0, max: 0 };
export const exactly = (value: number): Range => ({ min: value, max: value });

/** 0 times anything is 0. */
const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);

export const add = (...ranges: readonly Range[]): Range => ({
  min: ranges.reduce((sum, { min }) => sum + min, 0),
  max: ranges.reduce((sum, { max }) => sum + max, 0),
});
export const multiply = (a: Range, b: Range): Range => ({
  min: times(a.min, b.min),
  max: times(a.max, b.max),
});
/** By a factor, each end rounded up. */
export const scale = (a: Range, factor: number): Range => ({
  min: Math.ceil(times(a.min, factor)),
  max: Math.ceil(times(a.max, factor)),
});
export const union = (a: Range, b: Range): Range => ({
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
});
