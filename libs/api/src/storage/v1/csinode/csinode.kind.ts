import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, byteLength, invalid, required } from '@orrery/apimachinery';
import type { CSINode, CSINodeDriver } from '../../../gen/types/storage.v1.js';
import { defineKind } from '../../../kind.js';
import { nonNegative } from '../../../meta/fields.js';
import { duplicates, when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { validateCsiDriverName } from '../volumeattributesclass/csi-driver-name.js';
import { ageColumn, count, nameColumn, table } from '../../../table/columns.js';

const DRIVERS = FieldPath.of('spec', 'drivers');
const MAX_NODE_ID = 256;

function validateNodeId(id: string | undefined, path: FieldPath): FieldError[] {
  const text = String(id ?? '');
  return [
    ...when(text === '', required(path)),
    ...when(
      byteLength(text) > MAX_NODE_ID,
      invalid(path, text, `must be ${MAX_NODE_ID} characters or less`),
    ),
  ];
}

/** k8s pkg/apis/storage/validation/validation.go:validateCSINodeDriver. */
function validateDriver(driver: CSINodeDriver, at: FieldPath): FieldError[] {
  const { name, nodeID, allocatable, topologyKeys } = driver;
  return [
    ...validateCsiDriverName(name, at.child('name')),
    ...validateNodeId(nodeID, at.child('nodeID')),
    ...nonNegative(allocatable?.count, at.child('allocatable', 'count')),
    ...duplicates(
      topologyKeys,
      (key) => key,
      () => at,
    ),
    ...eachOf(topologyKeys, (key) => [
      ...when(key === '', required(at)),
      ...check(qualifiedName, key, at),
    ]),
  ];
}

const validate = ({ spec }: CSINode): FieldError[] => [
  ...eachOf(spec?.drivers, (driver, i) => validateDriver(driver, DRIVERS.index(i))),
  ...duplicates(
    spec?.drivers,
    ({ name }) => name,
    (i) => DRIVERS.index(i).child('name'),
  ),
];

/** What a driver may hold may change, nothing else of it. */
function validateUpdate({ spec }: CSINode, { spec: old }: CSINode): FieldError[] {
  const fixed = ({ allocatable: _allocatable, ...rest }: CSINodeDriver): object => rest;
  return eachOf(old?.drivers, (before) => {
    const now = list(spec?.drivers).find(({ name }) => name === before.name);
    return now ? immutable(fixed(now), fixed(before), DRIVERS, 'storage/v1.CSINodeDriver') : [];
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
    checkUpdate: validateUpdate,
  }),
  columns: table<CSINode>([
    nameColumn,
    count('Drivers', ({ spec }) => list(spec?.drivers).length),
    ageColumn,
  ]),
  hasGeneration: false,
});
