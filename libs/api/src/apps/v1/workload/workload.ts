import type { FieldError, KubeObject } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import type { ScaleAccess } from '../../../kind.js';
import type { LabelSelector, PodTemplateSpec } from '../../../types.js';
import { nonNegative } from '../../../meta/fields.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { isDeepEqual } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import {
  containerImages,
  containerNames,
  formatSelector,
  selectorText,
} from '../../../table/cells.js';
import type { Column } from '../../../table/columns.js';
import { wide } from '../../../table/columns.js';
import { nameWarnings } from '../../../batch/v1/job/job-warnings.js';
import { podWarnings } from '../../../core/v1/pod-warnings/pod-warnings.js';
import {
  validateLastingPods,
  validatePodTemplate,
  validateWorkloadSelector,
  validateWorkloadTemplate,
} from '../../../core/v1/pod-template/pod-template.validation.js';

export const SPEC = FieldPath.of('spec');

/** What the controllers of apps/v1 have in common. */
export interface Workload extends KubeObject {
  spec: {
    replicas?: number;
    minReadySeconds?: number;
    revisionHistoryLimit?: number;
    selector: LabelSelector;
    template?: PodTemplateSpec;
  };
  status?: object;
}

/** Numbers, selector and template of a workload; `kind` and `owner` as upstream's messages call it. */
export function validateWorkload(object: Workload, kind: string, owner: string): FieldError[] {
  const spec = object.spec ?? ({} as Workload['spec']);
  return [
    ...nonNegative(spec.replicas, SPEC.child('replicas')),
    ...nonNegative(spec.minReadySeconds, SPEC.child('minReadySeconds')),
    // StatefulSets with a negative limit keep all revisions.
    ...(kind === 'statefulset'
      ? []
      : nonNegative(spec.revisionHistoryLimit, SPEC.child('revisionHistoryLimit'))),
    ...validateWorkloadSelector(spec.selector, kind, SPEC.child('selector')),
    ...validatePods(spec, kind, owner),
  ];
}

/** A selector that is wrong selects nothing: what upstream says then differs from kind to kind. */
function validatePods(
  { selector, template }: Workload['spec'],
  kind: string,
  owner: string,
): FieldError[] {
  const [at, path] = [SPEC.child('selector'), SPEC.child('template')];
  if (validateLabelSelector(selector, at).length === 0) {
    return validateWorkloadTemplate(template, selector, path, owner);
  }
  const finding = invalid(at, selector, 'invalid label selector');
  switch (kind) {
    case 'daemonset':
      return [
        ...validatePodTemplate(template, path),
        ...validateLastingPods(template, path, owner),
      ];
    case 'statefulset':
      return [
        { ...finding, message: finding.message.replace(/: invalid label selector$/, '') },
        ...validateLastingPods(template, path, owner),
      ];
    default:
      return [finding];
  }
}

/** apps/v1 fixes the selector at creation. */
export const selectorIsFixed = (object: Workload, old: Workload): FieldError[] =>
  immutable(object.spec?.selector, old.spec?.selector, SPEC.child('selector'));

/** As {@link workloadWarnings}, and of a new name: it becomes part of the names of pods. */
export const namedWorkloadWarnings = (object: Workload, old?: Workload): string[] => [
  ...(old ? [] : nameWarnings(object.metadata.name)),
  ...workloadWarnings(object, old),
];

/** Warnings of the template, when it is new or the spec has changed. */
export const workloadWarnings = (object: Workload, old?: Workload): string[] =>
  old && isDeepEqual(object.spec, old.spec)
    ? []
    : podWarnings(object.spec?.template, SPEC.child('template'));

const replicasOf = (status: object | undefined): number =>
  (status as { replicas?: number } | undefined)?.replicas ?? 0;

export const workloadScale: ScaleAccess<Workload> = {
  get: ({ spec, status }) => ({
    replicas: spec?.replicas ?? 0,
    statusReplicas: replicasOf(status),
    selector: selectorText(spec?.selector),
  }),
  set(object, replicas) {
    object.spec.replicas = replicas;
  },
};

export const containerColumns: readonly Column<Workload>[] = [
  wide('Containers', ({ spec }) => containerNames(spec?.template)),
  wide('Images', ({ spec }) => containerImages(spec?.template)),
];

export const selectorColumn: Column<Workload> = wide('Selector', ({ spec }) =>
  formatSelector(spec?.selector),
);
