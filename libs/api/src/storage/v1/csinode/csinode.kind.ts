import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, duplicate, required } from '@orrery/apimachinery';
import type { CSINode } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { eachOf, list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, count, nameColumn, table } from '../../../table/columns.js';

function validate({ spec }: CSINode): FieldError[] {
  const names = new Set<string>();
  return eachOf(spec?.drivers, (driver, i) => {
    const at = FieldPath.of('spec', 'drivers').index(i);
    const repeated = names.has(driver.name);
    names.add(driver.name);
    return [
      ...(driver.name ? [] : [required(at.child('name'))]),
      ...(driver.nodeID ? [] : [required(at.child('nodeID'))]),
      ...(repeated ? [duplicate(at.child('name'), driver.name)] : []),
    ];
  });
}

export const CSINodeKind = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  scope: 'Cluster',
  strategy: strategyOf<CSINode>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    check: validate,
  }),
  columns: table<CSINode>([
    nameColumn,
    count('Drivers', ({ spec }) => list(spec?.drivers).length),
    ageColumn,
  ]),
  hasGeneration: false,
});
