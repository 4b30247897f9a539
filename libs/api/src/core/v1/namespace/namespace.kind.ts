import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import type { Namespace } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, qualifiedName } from '../../../meta/names.js';
import { validateMetaUpdate } from '../../../meta/object-meta.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const FINALIZER = 'kubernetes';
const STANDARD = [FINALIZER, 'orphan', 'foregroundDeletion'];
const NAME_LABEL = 'kubernetes.io/metadata.name';
const FINALIZERS = FieldPath.of('spec', 'finalizers');

function labelWithName({ metadata }: Namespace): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name };
}

function validateFinalizers(namespace: Namespace, at: (index: number) => FieldPath): FieldError[] {
  const text = 'name is neither a standard finalizer name nor is it fully qualified';
  return eachOf(namespace.spec?.finalizers, (name, i) => [
    ...check(qualifiedName, name, at(i)),
    ...when(!String(name).includes('/') && !STANDARD.includes(name), invalid(at(i), name, text)),
  ]);
}

/** k8s pkg/apis/core/validation/validation.go:ValidateNamespaceStatusUpdate. */
function validateStatus(namespace: Namespace): FieldError[] {
  const phase = namespace.status?.phase ?? 'Active';
  const path = FieldPath.of('status', 'Phase');
  if (namespace.metadata.deletionTimestamp) {
    return phase === 'Terminating'
      ? []
      : [invalid(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
  }
  return phase === 'Active'
    ? []
    : [invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty")];
}

export const NamespaceKind = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  setDefaults(namespace) {
    labelWithName(namespace);
    namespace.spec ??= {};
  },
  strategy: strategyOf<Namespace>({
    namespaced: false,
    name: dnsLabel,
    ownsStatus: true,
    initialStatus: () => ({ phase: 'Active' }),
    prepareForCreate(namespace) {
      const given = list(namespace.spec?.finalizers);
      namespace.spec = {
        ...namespace.spec,
        finalizers: given.includes(FINALIZER) ? [...given] : [...given, FINALIZER],
      };
    },
    prepareForUpdate(namespace, old) {
      namespace.spec = structuredClone(old.spec);
    },
    canonicalize: labelWithName,
    // Upstream names the list, not the one at fault.
    checkCreate: (namespace) => validateFinalizers(namespace, () => FINALIZERS),
  }),
  status: statusStrategyOf<Namespace>(validateStatus),
  subresources: {
    finalize: {
      prepareForUpdate(namespace, old) {
        if (old.status) namespace.status = structuredClone(old.status);
      },
      validateUpdate: (namespace, old) => [
        ...validateMetaUpdate(namespace, old),
        ...validateFinalizers(namespace, (i) => FINALIZERS.index(i)),
      ],
    },
  },
  selectableFields: ({ status }) => ({ 'status.phase': status?.phase ?? '' }),
  columns: table<Namespace>([
    nameColumn,
    column('Status', ({ status }) => status?.phase ?? ''),
    ageColumn,
  ]),
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  hasGeneration: false,
});
