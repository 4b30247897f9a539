import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, duplicate, forbidden, invalid, required } from '@orrery/apimachinery';
import type { LimitRange, LimitRangeItem } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { eachOf, entries } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { canonicalAmount, compareAmounts, quantityValue } from '../../../meta/quantity.js';
import { mayOvercommit, validateResourceName } from '../../../meta/resource-names.js';
import { containerResourceName } from '../pod-spec/resources.validation.js';

const LIMITS = FieldPath.of('spec', 'limits');
const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim'];

type Field = 'min' | 'max' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio';

/** What must not exceed what; `at` is the field that upstream blames, `shown` the amount it prints. */
const ORDER: readonly {
  readonly low: Field;
  readonly high: Field;
  readonly at: Field;
  readonly shown: Field;
  readonly text: (low: string, high: string) => string;
}[] = [
  {
    low: 'min',
    high: 'max',
    at: 'min',
    shown: 'min',
    text: (low, high) => `min value ${low} is greater than max value ${high}`,
  },
  {
    low: 'min',
    high: 'defaultRequest',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    text: (low, high) => `min value ${low} is greater than default request value ${high}`,
  },
  {
    low: 'defaultRequest',
    high: 'max',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    text: (low, high) => `default request value ${low} is greater than max value ${high}`,
  },
  {
    low: 'defaultRequest',
    high: 'default',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    text: (low, high) => `default request value ${low} is greater than default limit value ${high}`,
  },
  {
    low: 'min',
    high: 'default',
    at: 'default',
    shown: 'min',
    text: (low, high) => `min value ${low} is greater than default value ${high}`,
  },
  {
    low: 'default',
    high: 'max',
    at: 'default',
    shown: 'max',
    text: (low, high) => `default value ${low} is greater than max value ${high}`,
  },
];

const amountOf = (item: LimitRangeItem, field: Field, name: string): string | undefined => {
  const isHidden = item.type === 'Pod' && (field === 'default' || field === 'defaultRequest');
  return isHidden ? undefined : item[field]?.[name];
};

function validateOrder(item: LimitRangeItem, name: string, path: Path): FieldError[] {
  return ORDER.flatMap(({ low, high, at, shown, text }) => {
    const [a, b] = [amountOf(item, low, name), amountOf(item, high, name)];
    if (a === undefined || b === undefined || !(compareAmounts(a, b) > 0)) return [];
    const detail = text(canonicalAmount(a), canonicalAmount(b));
    return [
      invalid(path.child(at).key(name), canonicalAmount(amountOf(item, shown, name)), detail),
    ];
  });
}

function validateRatio(item: LimitRangeItem, name: string, path: Path): FieldError[] {
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return [];
  const at = path.child('maxLimitRequestRatio').key(name);
  const shown = canonicalAmount(ratio);
  const [min, max] = [item.min?.[name], item.max?.[name]];
  const most = quantityValue(max) / quantityValue(min);
  return [
    ...when(quantityValue(ratio) < 1, invalid(at, shown, `ratio ${shown} is less than 1`)),
    ...when(
      quantityValue(ratio) > most,
      invalid(at, shown, `ratio ${shown} is greater than max/min = ${most.toFixed(6)}`),
    ),
  ];
}

function validateDevices(item: LimitRangeItem, name: string, path: Path): FieldError[] {
  const [limit, request] = [
    amountOf(item, 'default', name),
    amountOf(item, 'defaultRequest', name),
  ];
  if (limit === undefined || request === undefined || mayOvercommit(name)) return [];
  const [a, b] = [canonicalAmount(limit), canonicalAmount(request)];
  const text = `default value ${a} must equal to defaultRequest value ${b} in ${name}`;
  return when(
    compareAmounts(limit, request) !== 0,
    invalid(path.child('defaultRequest').key(name), b, text),
  );
}

function validateType(type: string | undefined, path: Path): FieldError[] {
  const text = String(type ?? '');
  const findings = check(qualifiedName, text, path);
  if (findings.length > 0) return findings;
  return when(
    !text.includes('/') && !TYPES.includes(text),
    invalid(path, text, 'must be a standard limit type or fully qualified'),
  );
}

function validateNames(item: LimitRangeItem, path: Path): FieldError[] {
  const isCompute = item.type === 'Pod' || item.type === 'Container';
  const rule = isCompute ? containerResourceName : validateResourceName;
  const named = (field: Field): FieldError[] =>
    entries(item[field]).flatMap(([name]) => rule(name, path.child(field).key(name)));
  const refused = (field: Field): FieldError[] =>
    when(
      entries(item[field]).length > 0,
      forbidden(path.child(field), "may not be specified when `type` is 'Pod'"),
    );
  const ofDefaults = item.type === 'Pod' ? refused : named;
  return [
    ...named('max'),
    ...named('min'),
    ...ofDefaults('default'),
    ...ofDefaults('defaultRequest'),
    ...named('maxLimitRequestRatio'),
  ];
}

function validateItem(item: LimitRangeItem, path: Path): FieldError[] {
  const fields = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
  const names = [...new Set(fields.flatMap((field) => entries(item[field]).map(([name]) => name)))];
  const isClaim = item.type === 'PersistentVolumeClaim';
  const hasSize = item.min?.['storage'] !== undefined || item.max?.['storage'] !== undefined;
  return [
    ...validateNames(item, path),
    ...when(
      isClaim && !hasSize,
      required(
        path.child('limits'),
        'either minimum or maximum storage value is required, but neither was provided',
      ),
    ),
    ...names
      .sort()
      .flatMap((name) => [
        ...validateOrder(item, name, path),
        ...validateRatio(item, name, path),
        ...validateDevices(item, name, path),
      ]),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateLimitRange. */
export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return eachOf(spec?.limits, (item, i) => {
    const at = LIMITS.index(i);
    const isRepeated = seen.has(item.type);
    seen.add(item.type);
    return [
      ...validateType(item.type, at.child('type')),
      ...when(isRepeated, duplicate(at.child('type'), item.type)),
      ...validateItem(item, at),
    ];
  });
}
