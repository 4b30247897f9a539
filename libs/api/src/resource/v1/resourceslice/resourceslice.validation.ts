import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, invalid, required, tooLong, tooMany } from '@orrery/apimachinery';
import type {
  CounterSet,
  Device,
  DeviceAttribute,
  ResourceSlice,
  ResourceSliceSpec,
} from '../../../gen/types/resource.v1.js';
import { given, when } from '../../../meta/findings.js';
import { eachOf, entries, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateNodeSelector } from '../../../core/v1/pod-spec/scheduling.validation.js';
import { validateTaint } from '../device/device-config.validation.js';
import {
  validateAttributeName,
  validateBounded,
  validateDeviceName,
  validateDriverName,
  validatePoolName,
} from '../device/device-names.js';

const SPEC = FieldPath.of('spec');
const MAX_DEVICES = 128;
const MAX_COUNTER_SETS = 8;
const MAX_ATTRIBUTES = 32;
const MAX_VALUE = 64;
const ID = '(0|[1-9]\\d*)';
const PRE = '(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)';
const SEMVER = new RegExp(
  `^${ID}\\.${ID}\\.${ID}(-${PRE}(\\.${PRE})*)?(\\+[0-9a-zA-Z-]+(\\.[0-9a-zA-Z-]+)*)?$`,
);

function validateAttribute(attribute: DeviceAttribute, path: Path): FieldError[] {
  const values = Object.values(attribute).filter((value) => value !== undefined && value !== null);
  const { string, version } = attribute;
  const limited = (value: string, at: Path): FieldError[] =>
    when(value.length > MAX_VALUE, tooLong(at, MAX_VALUE));
  return [
    ...given(string, (value) => limited(String(value), path.child('string'))),
    ...given(version, (value) => [
      ...when(
        !SEMVER.test(value),
        invalid(
          path.child('version'),
          value,
          'must be a string compatible with semver.org spec 2.0.0',
        ),
      ),
      ...limited(String(value), path.child('version')),
    ]),
    ...when(values.length === 0, required(path, 'exactly one value must be specified')),
    ...when(values.length > 1, invalid(path, attribute, 'exactly one value must be specified')),
  ];
}

function validateDevice(device: Device, path: Path): FieldError[] {
  const attributes = entries(device.attributes);
  const capacity = entries(device.capacity);
  const total = attributes.length + capacity.length;
  const text = `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES}`;
  return [
    ...validateDeviceName(device.name, path.child('name')),
    ...attributes.flatMap(([name, value]) => [
      ...validateAttributeName(name, path.child('attributes').key(name)),
      ...validateAttribute(value ?? {}, path.child('attributes').key(name)),
    ]),
    ...capacity.flatMap(([name]) => validateAttributeName(name, path.child('capacity').key(name))),
    ...when(total > MAX_ATTRIBUTES, invalid(path, total, text)),
    ...eachOf(device.taints, (taint, i) => validateTaint(taint, path.child('taints').index(i))),
  ];
}

const validateCounterSet = ({ name, counters }: CounterSet, path: Path): FieldError[] => [
  ...(name ? check(dnsLabel, name, path.child('name')) : [required(path.child('name'))]),
  ...when(entries(counters).length === 0, required(path.child('counters'))),
  ...entries(counters).flatMap(([key]) => check(dnsLabel, key, path.child('counters').key(key))),
];

/** Where the slice's devices can be reached from: said in exactly one way. */
function validateNodes(spec: Partial<ResourceSliceSpec>): FieldError[] {
  const given = [
    ...(spec.nodeName ? ['`nodeName`'] : []),
    ...(spec.nodeSelector ? ['`nodeSelector`'] : []),
    ...(spec.allNodes ? ['`allNodes`'] : []),
    ...(spec.perDeviceNodeSelection ? ['`perDeviceNodeSelection`'] : []),
  ];
  const oneWanted =
    'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  const terms = spec.nodeSelector?.nodeSelectorTerms;
  return [
    ...(spec.nodeName ? check(dnsSubdomain, spec.nodeName, SPEC.child('nodeName')) : []),
    ...validateNodeSelector(spec.nodeSelector, SPEC.child('nodeSelector')),
    ...when(
      spec.nodeSelector !== undefined && list(terms).length !== 1,
      invalid(
        SPEC.child('nodeSelector', 'nodeSelectorTerms'),
        terms,
        'must have exactly one node selector term',
      ),
    ),
    ...when(given.length === 0, required(SPEC, oneWanted)),
    ...when(
      given.length > 1,
      invalid(SPEC, `{${given.join(', ')}}`, `${oneWanted}, but multiple fields are set`),
    ),
  ];
}

/** k8s pkg/apis/resource/validation/validation.go:validateResourceSliceSpec. */
export function validateResourceSlice(slice: ResourceSlice): FieldError[] {
  const spec: Partial<ResourceSliceSpec> = slice.spec ?? {};
  const pool = SPEC.child('pool');
  const { resourceSliceCount = 0, generation = 0, name } = spec.pool ?? {};
  const counters = list(spec.sharedCounters).length;
  return [
    ...validateDriverName(spec.driver, SPEC.child('driver')),
    ...validatePoolName(name, pool.child('name')),
    ...when(
      resourceSliceCount <= 0,
      invalid(pool.child('resourceSliceCount'), resourceSliceCount, 'must be greater than zero'),
    ),
    ...when(
      generation < 0,
      invalid(pool.child('generation'), generation, 'must be greater than or equal to zero'),
    ),
    ...validateNodes(spec),
    ...validateBounded(
      spec.devices,
      SPEC.child('devices'),
      { max: MAX_DEVICES, keyOf: (device) => device.name, keyField: 'name' },
      validateDevice,
    ),
    ...when(
      counters > MAX_COUNTER_SETS,
      tooMany(SPEC.child('sharedCounters'), counters, MAX_COUNTER_SETS),
    ),
    ...eachOf(spec.sharedCounters, (set, i) =>
      validateCounterSet(set, SPEC.child('sharedCounters').index(i)),
    ),
  ];
}

export const validateResourceSliceUpdate = (
  { spec }: ResourceSlice,
  { spec: old }: ResourceSlice,
): FieldError[] => [
  ...immutable(spec?.pool?.name, old?.pool?.name, SPEC.child('pool', 'name')),
  ...immutable(spec?.driver, old?.driver, SPEC.child('driver')),
  ...immutable(spec?.nodeName, old?.nodeName, SPEC.child('nodeName')),
];
