import { RE2JS, RE2JSSyntaxException } from 're2js';
import { ListValue } from '../values/value.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

const compiled = new Map<string, RE2JS | string>();
const MAX_CACHED = 2000;

/** What Go says of a pattern that it cannot compile; undefined for a good one. */
export function regexProblem(pattern: string): string | undefined {
  const found = compile(pattern);
  return typeof found === 'string' ? found : undefined;
}

function compile(pattern: string): RE2JS | string {
  let found = compiled.get(pattern);
  if (found === undefined) {
    try {
      found = RE2JS.compile(pattern);
    } catch (error) {
      if (!(error instanceof RE2JSSyntaxException)) throw error;
      found = error.message;
    }
    if (compiled.size >= MAX_CACHED) compiled.clear();
    compiled.set(pattern, found);
  }
  return found;
}

function regex(pattern: string): RE2JS {
  const found = compile(pattern);
  return typeof found === 'string' ? fail(found) : found;
}

/** True when some part of the text matches, in time linear in its length whatever the pattern. */
export const matches = (text: string, pattern: string): boolean => regex(pattern).test(text);

function find(text: string, pattern: string): string {
  const matcher = regex(pattern).matcher(text);
  return matcher.find() ? (matcher.group() ?? '') : '';
}

function findAll(text: string, pattern: string, limit = -1n): ListValue {
  const matcher = regex(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find())
    found.push(matcher.group() ?? '');
  return new ListValue(found);
}

export const regexes: readonly Overload[] = [
  fn('string.find(string): string', 'string_find_string', find),
  fn('string.findAll(string): list(string)', 'string_find_all_string', findAll),
  fn('string.findAll(string, int): list(string)', 'string_find_all_string_int', findAll),
];
