import type { Steps } from '../steps.js';

/** Fields from which on what is below them is not looked into, and the most that are written in one go. */
const WIDE = 1000;
/** Levels that are looked into for wide ones. */
const LEVELS = 10;

const isContainer = (value: unknown): value is object =>
  typeof value === 'object' && value !== null;

/** What JSON has no word for is left out of a map, and null in a list. */
const textOf = (value: unknown): string | undefined => JSON.stringify(value) as string | undefined;

/** `JSON.stringify` of plain JSON in steps: the fields and items of what is wide are written some at a time. */
export function* stringifySteps(value: unknown, levels = LEVELS): Steps<string | undefined> {
  if (!isContainer(value) || levels === 0) return textOf(value);
  const isList = Array.isArray(value);
  const fields = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(value);
  const isWide = keys.length > WIDE;
  const texts: string[] = [];
  for (const [i, key] of keys.entries()) {
    const field = fields[key];
    const isDeeper = !isWide && isContainer(field);
    const text = isDeeper ? yield* stringifySteps(field, levels - 1) : textOf(field);
    if (isList) texts.push(text ?? 'null');
    else if (text !== undefined) texts.push(`${JSON.stringify(key)}:${text}`);
    if (isWide && i % WIDE === 0) yield;
  }
  yield;
  return isList ? `[${texts.join(',')}]` : `{${texts.join(',')}}`;
}
