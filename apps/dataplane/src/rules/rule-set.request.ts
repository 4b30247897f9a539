/**
 * The form of what kube-proxies send. Written by hand: class-validator took 99 % of the time to program 1,000 services
 * with 10 endpoints (bench/README.md).
 */
import { isIP } from 'node:net';
import { FRONTEND_KINDS, POLICY_NAMES } from '@orrery/dataplane';
import type { RuleChanges, RuleSet } from '@orrery/dataplane';

/** Adds what is wrong with the value at `path` to `problems`. */
type Check = (value: unknown, path: string, problems: string[]) => void;

const that =
  (what: string, holds: (value: unknown) => boolean): Check =>
  (value, path, problems) => {
    if (!holds(value)) problems.push(`${path} must be ${what}`);
  };

const oneOf = (words: readonly string[]): Check =>
  that(`one of ${words.join(', ')}`, (value) => words.includes(value as string));

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const atLeast = (least: number): Check =>
  that(`a whole number of at least ${least}`, (value) => isWhole(value) && value >= least);

const TEXT = that('a text', (value) => typeof value === 'string');
const ID = that('a text that is not empty', (value) => typeof value === 'string' && value !== '');
const BOOLEAN = that('true or false', (value) => typeof value === 'boolean');
const ADDRESS = that('an IP address', (value) => typeof value === 'string' && isIP(value) !== 0);
const MAX_PORT = 65_535;
const PORT = that('a port', (value) => isWhole(value) && value >= 1 && value <= MAX_PORT);
const WEIGHT = that(
  'a number of at least 0',
  (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
);

const list =
  (each: Check, least = 0): Check =>
  (value, path, problems) => {
    if (!Array.isArray(value) || value.length < least) {
      problems.push(`${path} must be a list${least > 0 ? ' that is not empty' : ''}`);
      return;
    }
    for (let i = 0; i < value.length; i++) each(value[i], `${path}[${i}]`, problems);
  };

/** An object of these fields and no other. */
function object(needed: Record<string, Check>, optional: Record<string, Check> = {}): Check {
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

const BACKENDS = list(object({ address: ADDRESS, port: PORT, weight: WEIGHT }));
const TEXTS = list(TEXT);

const RULE = object(
  {
    id: ID,
    protocol: oneOf(['TCP', 'UDP']),
    frontends: list(object({ address: ADDRESS, port: PORT, kind: oneOf(FRONTEND_KINDS) }), 1),
    policy: oneOf(POLICY_NAMES),
    affinityMs: atLeast(0),
    backends: BACKENDS,
  },
  {
    inside: object({ sources: TEXTS, backends: BACKENDS }),
    trusted: BOOLEAN,
    allowedSources: TEXTS,
    maxConnections: atLeast(1),
    udpIdleMs: atLeast(1),
  },
);

const REPLACEMENT = object({ sources: TEXTS, rules: list(RULE) });
const CHANGES = object({ set: list(RULE), remove: TEXTS });

/** Problems that are named; the form is wrong, however many more there are. */
const MAX_PROBLEMS = 20;

/** What is wrong with a body, each problem with its path; empty = nothing. */
function problemsOf(check: Check, body: unknown): readonly string[] {
  const problems: string[] = [];
  check(body, '', problems);
  return problems.slice(0, MAX_PROBLEMS);
}

/** `PUT /nodes/<node>/rules`: everything this node's kube-proxy wants; texts are what is wrong. */
export function decodeReplacement(body: unknown): Omit<RuleSet, 'node'> | readonly string[] {
  const problems = problemsOf(REPLACEMENT, body);
  return problems.length > 0 ? problems : (body as Omit<RuleSet, 'node'>);
}

/** `PATCH /nodes/<node>/rules`: what changed since; texts are what is wrong. */
export function decodeChanges(body: unknown): RuleChanges | readonly string[] {
  const problems = problemsOf(CHANGES, body);
  return problems.length > 0 ? problems : (body as RuleChanges);
}
