import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { CompiledRule, RuleSchema, ValidationRule } from '@orrery/cel';
import { compileRules, resolveFieldPath, schemaType } from '@orrery/cel';
import { entries, list } from '../../../meta/list.js';
import { internalForm } from './internal-form.js';

const REASONS = [
  'FieldValueDuplicate',
  'FieldValueForbidden',
  'FieldValueInvalid',
  'FieldValueRequired',
];
/** Of one rule, and of all rules of a schema (…/validation.go:StaticEstimatedCostLimit, StaticEstimatedCRDCostLimit). */
const MAX_RULE_COST = 10_000_000;
const MAX_TOTAL_COST = 100_000_000;
const MOST_EXPENSIVE = 4;

const text = (value: string | undefined): string => String(value ?? '');
const hasBreaks = (value: string): boolean => /[\n\r]/.test(value);

function validateTexts(rule: ValidationRule, path: FieldPath): FieldError[] {
  const [source, message] = [text(rule.rule), text(rule.message)];
  const at = path.child('message');
  if (source.trim() === '') return [required(path.child('rule'), 'rule is not specified')];
  if (message !== '' && message.trim() === '')
    return [invalid(at, message, 'must be non-empty if specified')];
  if (hasBreaks(message.trim())) return [invalid(at, message, 'must not contain line breaks')];
  return hasBreaks(source.trim()) && message.trim() === ''
    ? [required(at, 'message must be specified if rule contains line breaks')]
    : [];
}

function validateRule(rule: ValidationRule, schema: RuleSchema, path: FieldPath): FieldError[] {
  const expression = text(rule.messageExpression);
  const place = text(rule.fieldPath);
  const at = path.child('fieldPath');
  const isWrongPath = place !== '' && resolveFieldPath(place, schema).problem !== undefined;
  return [
    ...validateTexts(rule, path),
    ...(expression !== '' && expression.trim() === ''
      ? [
          required(
            path.child('messageExpression'),
            'messageExpression must be non-empty if specified',
          ),
        ]
      : []),
    ...(rule.reason !== undefined && !REASONS.includes(rule.reason)
      ? [notSupported(path.child('reason'), rule.reason, REASONS)]
      : []),
    ...(place !== '' && place.trim() === ''
      ? [invalid(at, place, 'must be non-empty if specified')]
      : []),
    ...(hasBreaks(place) ? [invalid(at, place, 'must not contain line breaks')] : []),
    ...(isWrongPath ? [invalid(at, place, 'must be a valid path')] : []),
  ];
}

const invalidRule = (path: FieldPath, rule: ValidationRule, detail: string): FieldError =>
  invalid(path, internalForm.rule(rule), detail);

/** …/validation.go:getCostErrorMessage. */
function tooExpensive(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown =
    factor > 100 ? 'more than 100x' : `${factor < 1.5 ? factor.toFixed(6) : factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** A node with what decides about the cost of its rules. */
interface Place {
  readonly path: FieldPath;
  readonly isResource: boolean;
  /** How many values of the node there can be; undefined = as many as fit into a request. */
  readonly count: number | undefined;
  /** What above the node cannot be found again in an old object. */
  readonly uncorrelatable: FieldPath | undefined;
  readonly depth: number;
}

interface Totals {
  total: number;
  readonly costs: { readonly path: FieldPath; readonly cost: number }[];
}

function checkCompiled(
  one: CompiledRule,
  at: FieldPath,
  place: Place,
  totals: Totals,
): FieldError[] {
  const { rule, maxCost, maxCount, messageMaxCost } = one;
  const cost = maxCost === 0 ? 0 : maxCost * (place.count ?? maxCount);
  const path = at.child('rule');
  const messagePath = at.child('messageExpression');
  totals.total += cost + messageMaxCost;
  totals.costs.push({ path, cost }, { path: messagePath, cost: messageMaxCost });
  return [
    ...(cost > MAX_RULE_COST
      ? [forbidden(path, tooExpensive('estimated rule cost', cost, MAX_RULE_COST))]
      : []),
    ...(one.problem === undefined ? [] : [invalidRule(path, rule, one.problem)]),
    ...(one.messageProblem === undefined
      ? []
      : [invalidRule(messagePath, rule, one.messageProblem)]),
    ...(messageMaxCost > MAX_RULE_COST
      ? [
          forbidden(
            messagePath,
            tooExpensive('estimated messageExpression cost', messageMaxCost, MAX_RULE_COST),
          ),
        ]
      : []),
    ...checkTransition(one, at, place),
  ];
}

function checkTransition(one: CompiledRule, at: FieldPath, place: Place): FieldError[] {
  const { rule, usesOldSelf, problem } = one;
  const { uncorrelatable } = place;
  if (usesOldSelf && uncorrelatable) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${String(uncorrelatable)}`;
    return [invalid(at.child('rule'), rule.rule, detail)];
  }
  const isIdle = !usesOldSelf && rule.optionalOldSelf !== undefined && problem === undefined;
  if (!isIdle) return [];
  const detail = 'may not be set if oldSelf is not used in rule';
  return [invalid(at.child('optionalOldSelf'), rule.optionalOldSelf, detail)];
}

const times = (count: number | undefined, max: number | undefined): number | undefined =>
  count === undefined || max === undefined ? undefined : count * max;

/** Every node below that rules may stand on. */
function* childrenOf(schema: RuleSchema, place: Place): Iterable<[RuleSchema, Place]> {
  const { properties, items, additionalProperties } = schema;
  const { path, count, uncorrelatable } = place;
  const under = (child: RuleSchema, at: FieldPath, more: Partial<Place>): [RuleSchema, Place] => {
    const isResource = child['x-kubernetes-embedded-resource'] === true;
    return [child, { ...place, path: at, isResource, depth: place.depth + 1, ...more }];
  };
  for (const [name, child] of entries(properties))
    yield under(child, path.child('properties').key(name), {});
  if (typeof additionalProperties === 'object' && additionalProperties !== null) {
    yield under(additionalProperties, path.child('additionalProperties'), {
      count: times(count, schema.maxProperties),
    });
  }
  if (typeof items !== 'object' || items === null) return;
  const isKeyed = schema['x-kubernetes-list-type'] === 'map';
  yield under(items, path.child('items'), {
    count: times(count, schema.maxItems),
    uncorrelatable: uncorrelatable ?? (isKeyed ? undefined : path),
  });
}

const MAX_DEPTH = 100;

function validateNode(schema: RuleSchema, place: Place, totals: Totals | undefined): FieldError[] {
  if (place.depth > MAX_DEPTH) return [];
  const at = place.path.child('x-kubernetes-validations');
  const rules = list(schema['x-kubernetes-validations']);
  const plain = rules.flatMap((rule, i) => validateRule(rule, schema, at.index(i)));
  const below = [...childrenOf(schema, place)].flatMap(([child, where]) =>
    validateNode(child, where, totals),
  );
  const isSound = totals !== undefined && plain.length + below.length === 0;
  if (rules.length === 0 || !isSound) return [...plain, ...below];
  const declared = schemaType(schema, place.isResource);
  if (!declared) {
    const detail =
      'internal error: failed to retrieve type information for x-kubernetes-validations';
    return [{ type: 'InternalError', field: String(at), message: `Internal error: ${detail}` }];
  }
  return compileRules(schema, place.isResource, declared).flatMap((one, i) =>
    checkCompiled(one, at.index(i), place, totals),
  );
}

/** The rules of a schema; expressions are compiled only when the rest of it is sound. */
export function validateRules(schema: RuleSchema, path: FieldPath, isSound: boolean): FieldError[] {
  const totals: Totals = { total: 0, costs: [] };
  const root: Place = {
    path,
    isResource: true,
    count: 1,
    uncorrelatable: undefined,
    depth: 0,
  };
  const found = validateNode(schema, root, isSound ? totals : undefined);
  if (totals.total <= MAX_TOTAL_COST) return found;
  const worst = totals.costs.sort((a, b) => b.cost - a.cost).slice(0, MOST_EXPENSIVE);
  const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
  return [
    ...found,
    ...worst
      .filter(({ cost }) => cost > 0)
      .map((one) =>
        forbidden(
          one.path,
          'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
        ),
      ),
    forbidden(path, tooExpensive(what, totals.total, MAX_TOTAL_COST)),
  ];
}
