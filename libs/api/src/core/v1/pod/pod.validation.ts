import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden } from '@orrery/apimachinery';
import type { Pod } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { validateImageSpace } from '../pod-spec/container.validation.js';
import { validatePodSpec } from '../pod-spec/pod-spec.validation.js';
import {
  MIRROR,
  validatePodAnnotations,
  validateProfilesMatch,
} from './pod-annotations.validation.js';

const SPEC = FieldPath.of('spec');
const ANNOTATIONS = FieldPath.of('metadata', 'annotations');

function validateTokens({ spec }: Pod): FieldError[] {
  if (spec?.serviceAccountName) return [];
  return eachOf(spec?.volumes, ({ projected }, v) =>
    eachOf(projected?.sources, ({ serviceAccountToken }, s) =>
      when(
        Boolean(serviceAccountToken),
        forbidden(
          SPEC.child('volumes')
            .index(v)
            .child('projected', 'sources')
            .index(s)
            .child('serviceAccountToken'),
          'must not be specified when serviceAccountName is not set',
        ),
      ),
    ),
  );
}

/** k8s pkg/apis/core/validation/validation.go:validatePodMetadataAndSpec, but for metadata. */
export function validatePod(pod: Pod): FieldError[] {
  const { spec, metadata } = pod;
  const isStatic = metadata.annotations?.[MIRROR] !== undefined;
  return [
    ...validatePodAnnotations(pod.metadata, spec, ANNOTATIONS),
    ...when(
      isStatic && list(spec?.resourceClaims).length > 0,
      forbidden(FieldPath.of(''), 'static pods do not support resource claims'),
    ),
    ...validatePodSpec(spec, SPEC, {
      isPod: true,
      ...(metadata.name ? { podName: metadata.name } : {}),
    }),
    ...validateTokens(pod),
    ...(['containers', 'initContainers'] as const).flatMap((field) =>
      eachOf(spec?.[field], (container, i) =>
        validateImageSpace(container, SPEC.child(field).index(i)),
      ),
    ),
  ];
}

/** What holds for new pods alone (k8s pkg/apis/core/validation/validation.go:ValidatePodCreate). */
export function validatePodCreate(pod: Pod): FieldError[] {
  const { spec } = pod;
  return [
    ...when(
      list(spec?.ephemeralContainers).length > 0,
      forbidden(SPEC.child('ephemeralContainers'), 'cannot be set on create'),
    ),
    ...when(
      Boolean(spec?.nodeName) && list(spec?.schedulingGates).length > 0,
      forbidden(
        SPEC.child('nodeName'),
        'cannot be set until all schedulingGates have been cleared',
      ),
    ),
    ...validateProfilesMatch(pod.metadata, spec, SPEC),
  ];
}
