import { PodDisruptionBudgetKind } from '../../policy/v1/poddisruptionbudget/poddisruptionbudget.kind.js';
import { isDeepEqual } from '../../meta/list.js';
import type { Json } from '../json.js';
import { changed, changedFields } from '../json.js';
import { removedKind } from '../removed-kind.js';

/** An empty selector matches no pod in v1beta1 and every pod in v1 (k8s pkg/apis/policy/v1beta1/conversion.go). */
const LABEL = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match';
const selectorThat = (operator: string): Json => ({ matchExpressions: [{ key: LABEL, operator }] });
const MATCHES_NONE = selectorThat('Exists');
const MATCHES_ALL = selectorThat('DoesNotExist');

const isEmpty = (selector: unknown): boolean => isDeepEqual(selector, {});

const withSelector = (object: Json, change: (selector: unknown) => unknown): Json =>
  changedFields(object, 'spec', (spec) => changed(spec, 'selector', change));

export const removedPolicy = [
  removedKind(PodDisruptionBudgetKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.21', removed: '1.25' },
    conversion: {
      toHub: (object) =>
        withSelector(object, (selector) => {
          if (isEmpty(selector)) return MATCHES_NONE;
          return isDeepEqual(selector, MATCHES_ALL) ? {} : selector;
        }),
      fromHub: (hub) =>
        withSelector(hub, (selector) => {
          if (isEmpty(selector)) return MATCHES_ALL;
          return isDeepEqual(selector, MATCHES_NONE) ? {} : selector;
        }),
    },
  }),
];
