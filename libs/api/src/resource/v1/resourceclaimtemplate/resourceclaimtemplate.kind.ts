import type { FieldError } from '@orrery/apimachinery';
import { FieldPath } from '@orrery/apimachinery';
import type { ResourceClaimTemplate } from '../../../gen/types/resource.v1.js';
import { defineKind } from '../../../kind.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { immutable, validateAnnotations } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, nameColumn, table } from '../../../table/columns.js';
import { setClaimSpecDefaults } from '../resourceclaim/device-claim.defaults.js';
import { validateClaimSpec } from '../resourceclaim/device-claim.validation.js';

const SPEC = FieldPath.of('spec');

const validate = ({ spec }: ResourceClaimTemplate): FieldError[] => [
  ...validateLabels(spec?.metadata?.labels, SPEC.child('metadata', 'labels')),
  ...validateAnnotations(spec?.metadata?.annotations, SPEC.child('metadata', 'annotations')),
  ...validateClaimSpec(spec?.spec, SPEC.child('spec')),
];

export const ResourceClaimTemplateKind = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  scope: 'Namespaced',
  setDefaults({ spec }) {
    if (!spec) return;
    spec.metadata ??= {};
    setClaimSpecDefaults(spec.spec);
  },
  strategy: strategyOf<ResourceClaimTemplate>({
    namespaced: true,
    checkCreate: validate,
    checkUpdate: ({ spec }, old) =>
      immutable(spec, old.spec, SPEC, 'resource/v1.ResourceClaimTemplateSpec'),
  }),
  columns: table<ResourceClaimTemplate>([nameColumn, ageColumn]),
});
