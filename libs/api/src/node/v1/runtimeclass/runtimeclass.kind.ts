import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, duplicate } from '@orrery/apimachinery';
import { defineKind } from '../../../kind.js';
import type { RuntimeClass } from '../../../gen/types/node.v1.js';
import { deprecatedLabel } from '../../../core/v1/pod-warnings/deprecated-labels.js';
import { internalForm } from '../../../meta/internal-form.js';
import { eachOf, entries, isDeepEqual, list } from '../../../meta/list.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { check, dnsLabel } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateResources } from '../../../core/v1/pod-spec/resources.validation.js';
import { validateTolerations } from '../../../core/v1/pod-spec/scheduling.validation.js';

const HANDLER = FieldPath.of('handler');
const TOLERATIONS = FieldPath.of('scheduling', 'tolerations');

const validate = ({ handler, overhead, scheduling }: RuntimeClass): FieldError[] => [
  ...check(dnsLabel, handler, HANDLER),
  ...validateResources(
    overhead?.podFixed && { limits: overhead.podFixed },
    FieldPath.of('overhead'),
  ),
  ...validateLabels(scheduling?.nodeSelector, FieldPath.of('scheduling', 'nodeSelector')),
  ...validateTolerations(scheduling?.tolerations, TOLERATIONS),
  ...eachOf(scheduling?.tolerations, (toleration, i) =>
    list(scheduling?.tolerations)
      .slice(0, i)
      .filter((other) => isDeepEqual(other, toleration))
      .map(() => duplicate(TOLERATIONS.index(i), internalForm(toleration, 'core/v1.Toleration'))),
  ),
];

/** k8s pkg/api/node/util.go:GetWarningsForRuntimeClass. */
const warnings = ({ scheduling }: RuntimeClass): string[] =>
  entries(scheduling?.nodeSelector).flatMap(([key]) => {
    const hint = deprecatedLabel(key);
    const path = FieldPath.of('scheduling', 'nodeSelector').key(key);
    return hint === undefined ? [] : [`${path.toString()}: ${hint}`];
  });

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
    warnings,
    checkUpdate: (object, old) => immutable(object.handler, old.handler, HANDLER),
  }),
  columns: table<RuntimeClass>([
    nameColumn,
    column('Handler', ({ handler }) => handler ?? ''),
    ageColumn,
  ]),
  hasGeneration: false,
});
