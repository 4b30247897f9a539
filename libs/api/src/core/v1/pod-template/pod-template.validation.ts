import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { LabelSelector, PodTemplateSpec } from '../../../types.js';
import {
  isEmptySelector,
  selectorMatches,
  validateLabelSelector,
  validateLabels,
} from '../../../meta/label-selector.js';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { validateAnnotations } from '../../../meta/object-meta.js';
import {
  validatePodAnnotations,
  validateProfilesMatch,
} from '../pod/pod-annotations.validation.js';
import { validatePodSpec } from '../pod-spec/pod-spec.validation.js';

/** k8s pkg/apis/core/validation/validation.go:ValidatePodTemplateSpec. */
export function validatePodTemplate(
  template: PodTemplateSpec | undefined,
  path: FieldPath,
): FieldError[] {
  if (!template) return [required(path)];
  return [
    // Upstream leaves `metadata` out of these two paths.
    ...validateLabels(template.metadata?.labels, path.child('labels')),
    ...validateAnnotations(template.metadata?.annotations, path.child('annotations')),
    ...validatePodAnnotations(template.metadata, template.spec, path.child('annotations')),
    ...validatePodSpec(template.spec, path.child('spec')),
    ...validateProfilesMatch(template.metadata, template.spec, path.child('spec')),
    ...when(
      list(template.spec?.ephemeralContainers).length > 0,
      forbidden(
        path.child('spec', 'ephemeralContainers'),
        'ephemeral containers not allowed in pod template',
      ),
    ),
  ];
}

const NOT_MATCHING = '`selector` does not match template `labels`';

/** The template of a controller whose pods must run for ever: labels fit the selector, restartPolicy is Always. */
export function validateWorkloadTemplate(
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  path: FieldPath,
  owner: string,
): FieldError[] {
  if (!template) return [required(path)];
  const labels = template.metadata?.labels;
  return [
    // No selector selects nothing, an empty one everything.
    ...(!selector || (!isEmptySelector(selector) && !selectorMatches(selector, labels))
      ? [invalid(path.child('metadata', 'labels'), labels, NOT_MATCHING)]
      : []),
    ...validatePodTemplate(template, path),
    ...validateLastingPods(template, path, owner),
  ];
}

/** Pods that must run for ever restart always and know no deadline. */
export function validateLastingPods(
  template: PodTemplateSpec | undefined,
  path: FieldPath,
  owner: string,
): FieldError[] {
  const restartPolicy = template?.spec?.restartPolicy ?? '';
  return [
    ...(restartPolicy === 'Always'
      ? []
      : [notSupported(path.child('spec', 'restartPolicy'), restartPolicy, ['Always'])]),
    ...when(
      (template?.spec?.activeDeadlineSeconds ?? null) !== null,
      forbidden(
        path.child('spec', 'activeDeadlineSeconds'),
        `activeDeadlineSeconds in ${owner} is not Supported`,
      ),
    ),
  ];
}

/** The selector of a workload: present, legal and not empty. */
export function validateWorkloadSelector(
  selector: LabelSelector | undefined,
  kind: string,
  path: FieldPath,
): FieldError[] {
  // apps/validation/validation.go:ValidateDaemonSetSpec asks for none.
  if (!selector) return kind === 'daemonset' ? [] : [required(path)];
  return [
    ...validateLabelSelector(selector, path),
    ...(isEmptySelector(selector)
      ? [invalid(path, selector, `empty selector is invalid for ${kind}`)]
      : []),
  ];
}
