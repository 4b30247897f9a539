import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, duplicate, forbidden, invalid, required } from '@orrery/apimachinery';
import type { LimitRange, LimitRangeItem } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { eachOf, entries, list } from '../../../meta/list.js';
import { quantityValue, validateQuantities } from '../../../meta/quantity.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const LIMITS = FieldPath.of('spec', 'limits');
const LISTS = ['min', 'max', 'default', 'defaultRequest'] as const;

/** k8s pkg/apis/core/v1/defaults.go:SetDefaults_LimitRangeItem, for containers. */
function setItemDefaults(item: LimitRangeItem): void {
  if (item.type !== 'Container') return;
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  if (entries(item.default).length === 0) delete item.default;
  if (entries(item.defaultRequest).length === 0) delete item.defaultRequest;
}

const ORDERED = [
  ['min', 'max'],
  ['min', 'defaultRequest'],
  ['defaultRequest', 'max'],
  ['default', 'max'],
  ['min', 'default'],
  ['defaultRequest', 'default'],
] as const;

function validateOrder(item: LimitRangeItem, at: FieldPath): FieldError[] {
  return ORDERED.flatMap(([low, high]) =>
    entries(item[low]).flatMap(([name, amount]) => {
      const bound = item[high]?.[name];
      if (bound === undefined || !(quantityValue(amount) > quantityValue(bound))) return [];
      const text = `${low} value ${amount} is greater than ${high} value ${bound}`;
      return [invalid(at.child(low).key(name), amount, text)];
    }),
  );
}

function validate({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return eachOf(spec?.limits, (item, i) => {
    const at = LIMITS.index(i);
    const repeated = seen.has(item.type);
    seen.add(item.type);
    return [
      ...(item.type ? [] : [required(at.child('type'))]),
      ...(repeated ? [duplicate(at.child('type'), item.type)] : []),
      ...LISTS.flatMap((field) => validateQuantities(item[field], at.child(field))),
      ...(item.type === 'Pod' && entries(item.default).length > 0
        ? [forbidden(at.child('default'), "may not be specified when `type` is 'Pod'")]
        : []),
      ...(item.type === 'Pod' && entries(item.defaultRequest).length > 0
        ? [forbidden(at.child('defaultRequest'), "may not be specified when `type` is 'Pod'")]
        : []),
      ...validateOrder(item, at),
    ];
  });
}

export const LimitRangeKind = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  scope: 'Namespaced',
  setDefaults: ({ spec }) => list(spec?.limits).forEach(setItemDefaults),
  strategy: strategyOf<LimitRange>({
    namespaced: true,
    allowCreateOnUpdate: true,
    check: validate,
  }),
  columns: table<LimitRange>([
    nameColumn,
    column('Created At', ({ metadata }) => metadata.creationTimestamp ?? '<unknown>'),
  ]),
  hasGeneration: false,
});
