import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import type { DeviceClass } from '../../../gen/types/resource.v1.js';
import { defineKind } from '../../../kind.js';
import { given, when } from '../../../meta/findings.js';
import { isExtendedResource } from '../../../meta/resource-names.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, nameColumn, table } from '../../../table/columns.js';
import { validateConfiguration, validateSelectors } from '../device/device-config.validation.js';
import { validateBounded } from '../device/device-names.js';

const SPEC = FieldPath.of('spec');
const MAX_CONFIG = 32;

const validate = ({ spec }: DeviceClass): FieldError[] => [
  ...validateSelectors(spec?.selectors, SPEC.child('selectors')),
  ...validateBounded(spec?.config, SPEC.child('config'), { max: MAX_CONFIG }, (each, at) =>
    validateConfiguration(each, at),
  ),
  ...given(spec?.extendedResourceName, (name) =>
    when(
      !isExtendedResource(name),
      invalid(SPEC.child('extendedResourceName'), name, 'must be a valid extended resource name'),
    ),
  ),
];

export const DeviceClassKind = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  scope: 'Cluster',
  strategy: strategyOf<DeviceClass>({ namespaced: false, check: validate }),
  columns: table<DeviceClass>([nameColumn, ageColumn]),
  hasGeneration: true,
});
