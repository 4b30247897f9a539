import type { FieldError } from '@orrery/apimachinery';
import { FieldPath } from '@orrery/apimachinery';
import type { PodTemplate } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { isDeepEqual } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { containerImages, containerNames, formatLabels } from '../../../table/cells.js';
import { column, nameColumn, table } from '../../../table/columns.js';
import { podWarnings } from '../pod-warnings/pod-warnings.js';
import { dropDisabledFields } from './disabled-fields.js';
import { setPodTemplateDefaults } from './pod-template.defaults.js';
import { validatePodTemplate } from './pod-template.validation.js';

const check = (object: PodTemplate): FieldError[] =>
  validatePodTemplate(object.template, FieldPath.of('template'));

export const PodTemplateKind = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  scope: 'Namespaced',
  setDefaults: (object) => setPodTemplateDefaults((object.template ??= {})),
  strategy: strategyOf<PodTemplate>({
    namespaced: true,
    prepareForCreate: ({ template }) => dropDisabledFields(template?.spec),
    prepareForUpdate: ({ template }, old) => dropDisabledFields(template?.spec, old.template?.spec),
    check,
    warnings: ({ template }, old) =>
      old && isDeepEqual(template, old.template)
        ? []
        : podWarnings(template, FieldPath.of('template')),
  }),
  columns: table<PodTemplate>([
    nameColumn,
    column('Containers', ({ template }) => containerNames(template)),
    column('Images', ({ template }) => containerImages(template)),
    column('Pod Labels', ({ template }) => formatLabels(template?.metadata?.labels)),
  ]),
  hasGeneration: true,
});
