import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

/** For the checker: the evaluator does these itself, since they do not always want all arguments, or are charged for. */
const byEvaluator = (): never => fail('no such overload');

export const operators: readonly Overload[] = [
  fn('_?_:_(bool, A, A): A', 'conditional', byEvaluator),
  fn('_&&_(bool, bool): bool', 'logical_and', byEvaluator),
  fn('_||_(bool, bool): bool', 'logical_or', byEvaluator),
  fn('@not_strictly_false(bool): bool', 'not_strictly_false', byEvaluator),
  fn('!_(bool): bool', 'logical_not', (value: boolean) => !value),
  fn('_==_(A, A): bool', 'equals', byEvaluator),
  fn('_!=_(A, A): bool', 'not_equals', byEvaluator),
  fn('@in(A, list(A)): bool', 'in_list', byEvaluator),
  fn('@in(A, map(A, B)): bool', 'in_map', byEvaluator),
  fn('_[_](list(A), int): A', 'index_list', byEvaluator),
  fn('_[_](map(A, B), A): B', 'index_map', byEvaluator),
  fn('_[_](optional(list(V)), int): optional(V)', 'optional_list_index_int', byEvaluator),
  fn('_[_](optional(map(K, V)), K): optional(V)', 'optional_map_index_value', byEvaluator),
  fn('_[?_](list(V), int): optional(V)', 'list_optindex_optional_int', byEvaluator),
  fn(
    '_[?_](optional(list(V)), int): optional(V)',
    'optional_list_optindex_optional_int',
    byEvaluator,
  ),
  fn('_[?_](map(K, V), K): optional(V)', 'map_optindex_optional_value', byEvaluator),
  fn(
    '_[?_](optional(map(K, V)), K): optional(V)',
    'optional_map_optindex_optional_value',
    byEvaluator,
  ),
  fn('optional(V).or(optional(V)): optional(V)', 'optional_or_optional', byEvaluator),
  fn('optional(V).orValue(V): V', 'optional_orValue_value', byEvaluator),
];
