import { FieldPath, invalid, parseApiVersion, required } from '@orrery/apimachinery';
import type { ControllerRevision } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { nonNegative } from '../../../meta/fields.js';
import { list } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';

function controllerText(revision: ControllerRevision): string {
  const owner = list(revision.metadata.ownerReferences).find((each) => each.controller === true);
  if (!owner) return '<none>';
  const { group } = parseApiVersion(String(owner.apiVersion ?? ''));
  const kind = String(owner.kind ?? '').toLowerCase();
  return `${group === '' ? kind : `${kind}.${group}`}/${owner.name}`;
}

export const ControllerRevisionKind = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  scope: 'Namespaced',
  setDefaults(object) {
    object.revision ??= 0;
  },
  strategy: strategyOf<ControllerRevision>({
    namespaced: true,
    check: ({ data, revision }) => [
      ...(data === undefined || data === null
        ? [required(FieldPath.of('data'), 'data is mandatory')]
        : typeof data === 'object'
          ? []
          : [invalid(FieldPath.of('data'), data, 'must be an object')]),
      ...nonNegative(revision, FieldPath.of('revision')),
    ],
    checkUpdate: (object, old) => immutable(object.data, old.data, FieldPath.of('data')),
  }),
  columns: table<ControllerRevision>([
    nameColumn,
    column('Controller', controllerText),
    count('Revision', ({ revision }) => revision),
    ageColumn,
  ]),
  hasGeneration: false,
});
