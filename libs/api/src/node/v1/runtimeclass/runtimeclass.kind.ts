import type { FieldError } from '@orrery/apimachinery';
import { FieldPath } from '@orrery/apimachinery';
import { defineKind } from '../../../kind.js';
import type { RuntimeClass } from '../../../gen/types/node.v1.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { check, dnsLabel } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateQuantities } from '../../../meta/quantity.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateTolerations } from '../../../core/v1/pod-spec/scheduling.validation.js';

const HANDLER = FieldPath.of('handler');

const validate = ({ handler, overhead, scheduling }: RuntimeClass): FieldError[] => [
  ...check(dnsLabel, handler, HANDLER),
  ...validateQuantities(overhead?.podFixed, FieldPath.of('overhead', 'podFixed')),
  ...validateLabels(scheduling?.nodeSelector, FieldPath.of('scheduling', 'nodeSelector')),
  ...validateTolerations(scheduling?.tolerations, FieldPath.of('scheduling', 'tolerations')),
];

export const RuntimeClassKind = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  scope: 'Cluster',
  strategy: strategyOf<RuntimeClass>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    check: validate,
    checkUpdate: (object, old) => immutable(object.handler, old.handler, HANDLER),
  }),
  columns: table<RuntimeClass>([
    nameColumn,
    column('Handler', ({ handler }) => handler ?? ''),
    ageColumn,
  ]),
  hasGeneration: false,
});
