import type { Random } from '@orrery/component';
import type { History } from '../../history/history.js';
import { INFORMER_MUTANTS } from './informer-mutants.js';
import { LOG_MUTANTS } from './log-mutants.js';
import type { Mutant } from './mutation.js';
import { createVictim } from './mutation.js';
import { READ_MUTANTS } from './read-mutants.js';
import { WATCH_MUTANTS } from './watch-mutants.js';
import { WRITE_MUTANTS } from './write-mutants.js';

/** Every lie the checkers are held against. */
export const MUTANTS: readonly Mutant[] = [
  ...WRITE_MUTANTS,
  ...READ_MUTANTS,
  ...LOG_MUTANTS,
  ...WATCH_MUTANTS,
  ...INFORMER_MUTANTS,
];

/** Tells the lie in a legal history; undefined when it gives no occasion. */
export function applyMutant(mutant: Mutant, history: History, random: Random): History | undefined {
  return mutant.apply(createVictim(history, random));
}
