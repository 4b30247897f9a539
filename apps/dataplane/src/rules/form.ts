/**
 * Checks of what comes on the control socket. Written by hand: class-validator took 99 % of the time to program 1,000
 * services with 10 endpoints (bench/README.md).
 */
import { isIP } from 'node:net';

/** Adds what is wrong with the value at `path` to `problems`. */
export type Check = (value: unknown, path: string, problems: string[]) => void;

const that =
  (what: string, holds: (value: unknown) => boolean): Check =>
  (value, path, problems) => {
    if (!holds(value)) problems.push(`${path} must be ${what}`);
  };

export const oneOf = (words: readonly string[]): Check =>
  that(`one of ${words.join(', ')}`, (value) => words.includes(value as string));

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
export const atLeast = (least: number): Check =>
  that(`a whole number of at least ${least}`, (value) => isWhole(value) && value >= least);

export const TEXT = that('a text', (value) => typeof value === 'string');
export const ID = that(
  'a text that is not empty',
  (value) => typeof value === 'string' && value !== '',
);
export const ADDRESS = that(
  'an IP address',
  (value) => typeof value === 'string' && isIP(value) !== 0,
);
const MAX_PORT = 65_535;
export const PORT = that('a port', (value) => isWhole(value) && value >= 1 && value <= MAX_PORT);
export const WEIGHT = that(
  'a number of at least 0',
  (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
);

export const list =
  (each: Check, least = 0): Check =>
  (value, path, problems) => {
    if (!Array.isArray(value) || value.length < least) {
      problems.push(`${path} must be a list${least > 0 ? ' that is not empty' : ''}`);
      return;
    }
    for (let i = 0; i < value.length; i++) each(value[i], `${path}[${i}]`, problems);
  };

/** An object of these fields and no other. */
export function object(needed: Record<string, Check>, optional: Record<string, Check> = {}): Check {
  const checks = new Map(Object.entries({ ...needed, ...optional }));
  const names = Object.keys(needed);
  return (value, path, problems) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push(`${path} must be an object`);
      return;
    }
    const fields = value as Record<string, unknown>;
    const at = path === '' ? '' : `${path}.`;
    for (const name of names)
      if (!Object.hasOwn(fields, name)) problems.push(`${at}${name} is missing`);
    for (const name of Object.keys(fields)) {
      const check = checks.get(name);
      if (check) check(fields[name], `${at}${name}`, problems);
      else problems.push(`${at}${name} is unknown`);
    }
  };
}

/** Problems that are named; the form is wrong, however many more there are. */
const MAX_PROBLEMS = 20;

/** What is wrong with a body, each problem with its path; empty = nothing. */
export function problemsOf(check: Check, body: unknown): readonly string[] {
  const problems: string[] = [];
  check(body, '', problems);
  return problems.slice(0, MAX_PROBLEMS);
}
