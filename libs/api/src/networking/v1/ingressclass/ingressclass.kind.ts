import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { IngressClass } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');

function validate({ spec }: IngressClass): FieldError[] {
  const controller = String(spec?.controller ?? '');
  const parameters = spec?.parameters;
  const at = SPEC.child('parameters');
  return [
    ...(controller.length > 250
      ? [invalid(SPEC.child('controller'), controller, 'must be no more than 250 characters')]
      : []),
    ...(/^[^/]+\/.+$/.test(controller)
      ? []
      : [
          invalid(
            SPEC.child('controller'),
            controller,
            'must be a domain-prefixed path (such as "acme.io/foo")',
          ),
        ]),
    ...(parameters
      ? [
          ...(parameters.kind ? [] : [required(at.child('kind'), 'kind is required')]),
          ...(parameters.name ? [] : [required(at.child('name'), 'name is required')]),
          ...oneOf(parameters.scope, ['Cluster', 'Namespace'], at.child('scope')),
        ]
      : []),
  ];
}

function parametersText({ spec }: IngressClass): string {
  const { apiGroup, kind, name } = spec?.parameters ?? {};
  if (!kind) return '<none>';
  return `${apiGroup ? `${kind}.${apiGroup}` : kind}/${name}`;
}

export const IngressClassKind = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  scope: 'Cluster',
  setDefaults(object) {
    if (object.spec?.parameters) object.spec.parameters.scope ??= 'Cluster';
  },
  strategy: strategyOf<IngressClass>({
    namespaced: false,
    check: validate,
    checkUpdate: (object, old) =>
      immutable(object.spec?.controller, old.spec?.controller, SPEC.child('controller')),
  }),
  columns: table<IngressClass>([
    nameColumn,
    column('Controller', ({ spec }) => spec?.controller ?? ''),
    column('Parameters', parametersText),
    ageColumn,
  ]),
  hasGeneration: true,
});
