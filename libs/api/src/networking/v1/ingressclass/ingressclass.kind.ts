import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, byteLength, forbidden, required, tooLong } from '@orrery/apimachinery';
import type {
  IngressClass,
  IngressClassParametersReference,
} from '../../../gen/types/networking.v1.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { check, dnsLabel, domainPrefixedPath } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

import { validateLocalReference } from '../ingress/ingress.validation.js';

const SPEC = FieldPath.of('spec');
const MAX_CONTROLLER = 250;

function validateParameters(parameters: IngressClassParametersReference): FieldError[] {
  const { scope, namespace } = parameters;
  const at = SPEC.child('parameters');
  const inner = at.child('namespace');
  const hasNamespace = namespace !== undefined && namespace !== null;
  return [
    ...validateLocalReference(parameters, at),
    ...oneOf(scope, ['Cluster', 'Namespace'], at.child('scope')),
    ...when(
      scope === 'Namespace' && !hasNamespace,
      required(inner, "`parameters.scope` is set to 'Namespace'"),
    ),
    ...(scope === 'Namespace' && hasNamespace ? check(dnsLabel, namespace, inner) : []),
    ...when(
      scope === 'Cluster' && hasNamespace,
      forbidden(inner, "`parameters.scope` is set to 'Cluster'"),
    ),
  ];
}

/** k8s pkg/apis/networking/validation/validation.go:validateIngressClassSpec. */
const validate = ({ spec }: IngressClass): FieldError[] => [
  ...when(
    byteLength(String(spec?.controller ?? '')) > MAX_CONTROLLER,
    tooLong(SPEC.child('controller'), MAX_CONTROLLER),
  ),
  ...domainPrefixedPath(spec?.controller, SPEC.child('controller')),
  ...given(spec?.parameters, validateParameters),
];

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
