import type { Pod, PodSpec, PodStatus } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { podColumns } from './pod.columns.js';
import { setPodDefaults } from './pod.defaults.js';
import {
  podEphemeralContainersStrategy,
  podGracePeriodSeconds,
  podResizeStrategy,
  podStatusStrategy,
  podStrategy,
} from './pod.strategy.js';

const specFields = (spec: PodSpec | undefined): Record<string, string> => ({
  'spec.nodeName': spec?.nodeName ?? '',
  'spec.restartPolicy': spec?.restartPolicy ?? '',
  'spec.schedulerName': spec?.schedulerName ?? '',
  'spec.serviceAccountName': spec?.serviceAccountName ?? '',
  'spec.hostNetwork': String(spec?.hostNetwork === true),
});

const statusFields = (status: PodStatus | undefined): Record<string, string> => ({
  'status.phase': status?.phase ?? '',
  'status.podIP': list(status?.podIPs)[0]?.ip ?? status?.podIP ?? '',
  'status.podIPs': list(status?.podIPs)
    .map(({ ip }) => ip)
    .join(','),
  'status.nominatedNodeName': status?.nominatedNodeName ?? '',
});

export const PodKind = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setPodDefaults,
  strategy: podStrategy,
  status: podStatusStrategy,
  subresources: {
    ephemeralcontainers: podEphemeralContainersStrategy,
    resize: podResizeStrategy,
  },
  selectableFields: ({ spec, status }) => ({ ...specFields(spec), ...statusFields(status) }),
  columns: podColumns,
  defaultGracePeriodSeconds: podGracePeriodSeconds,
  hasGeneration: true,
});
