import type { FieldPath } from '@orrery/apimachinery';
import type { JobSpec } from '../../../types.js';
import { dnsLabel } from '../../../meta/names.js';
import { podWarnings } from '../../../core/v1/pod-warnings/pod-warnings.js';

const MANY_COMPLETIONS = 100_000;
const MANY_AT_ONCE = 10_000;
const TOO_MANY =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';

/** Names of jobs become parts of the names of their pods. */
export function nameWarnings(name = ''): string[] {
  const faults = dnsLabel(name).join(' ');
  return faults === ''
    ? []
    : [
        `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${faults}]`,
      ];
}

/** k8s pkg/api/job/warnings.go:WarningsForJobSpec. */
export function jobSpecWarnings(spec: JobSpec | undefined, path: FieldPath): string[] {
  const isMany =
    spec?.completionMode === 'Indexed' &&
    (spec.completions ?? 0) > MANY_COMPLETIONS &&
    (spec.parallelism ?? 0) > MANY_AT_ONCE;
  return [
    ...(isMany ? [`${path.toString()}: ${TOO_MANY}`] : []),
    ...podWarnings(spec?.template, path.child('template')),
  ];
}
