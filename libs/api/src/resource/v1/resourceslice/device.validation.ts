import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { invalid, required, tooLong, tooMany } from '@orrery/apimachinery';
import type { Counter, Device, DeviceAttribute } from '../../../gen/types/resource.v1.js';
import { given, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { entries, isDeepEqual } from '../../../meta/list.js';
import { check, dnsLabel } from '../../../meta/names.js';
import { validateBindings } from '../device/binding-conditions.validation.js';
import { validateTaint } from '../device/device-config.validation.js';
import {
  shortened,
  validateAttributeName,
  validateBounded,
  validateDeviceName,
} from '../device/device-names.js';
import { validateCapacity } from './capacity-policy.validation.js';
import { setNodes, validateSetNodes } from './slice-nodes.validation.js';

const MAX_ATTRIBUTES = 32;
const MAX_VALUE = 64;
const MAX_TAINTS = 16;
const MAX_CONSUMED = 2;
const MAX_COUNTERS = 32;
/** Domain, slash and identifier. */
const MAX_KEY = 63 + 1 + 32;
const MAX_LABEL = 63;
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
  const detail = 'exactly one value must be specified';
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
    ...when(values.length === 0, invalid(path, '', detail)),
    ...(values.length > 1
      ? [invalid(path, internalForm(attribute, 'resource/v1.DeviceAttribute'), detail)]
      : []),
  ];
}

/** A name that must be there. */
const validateCounterName = (name: string | undefined, path: Path): FieldError[] =>
  name ? check(dnsLabel, name, path) : [required(path)];

/** A counter set, or what a device takes of one: its name, and its counters by name. */
export function validateCounters(
  name: { readonly value: string | undefined; readonly path: Path },
  counters: Readonly<Record<string, Counter>> | undefined,
  path: Path,
): FieldError[] {
  const all = entries(counters);
  const named = validateCounterName(name.value, name.path);
  if (all.length === 0) return [...named, required(path)];
  if (all.length > MAX_COUNTERS) return [...named, tooMany(path, all.length, MAX_COUNTERS)];
  return [
    ...named,
    ...all.flatMap(([key]) => check(dnsLabel, key, path.key(shortened(key, MAX_LABEL)))),
  ];
}

/** Where a device can be reached from, when each says so itself. */
function validateNodes(device: Device, eachSays: boolean, path: Path): FieldError[] {
  const nodes = setNodes(device);
  if (!eachSays) {
    const text =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    const { nodeName, nodeSelector, allNodes } = device;
    const isSet = [nodeName, nodeSelector, allNodes].some(
      (one) => (one ?? undefined) !== undefined,
    );
    return when(isSet, invalid(path, null, text));
  }
  const oneWanted =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  return [
    ...validateSetNodes(device, path, 'must not be empty'),
    ...when(nodes.length === 0, required(path, oneWanted)),
    ...when(nodes.length > 1, invalid(path, `{${nodes.join(', ')}}`, oneWanted)),
  ];
}

function validateNamedValues(device: Device, path: Path): FieldError[] {
  const [attributes, capacity] = [entries(device.attributes), entries(device.capacity)];
  const total = attributes.length + capacity.length;
  const text = `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES}`;
  const at = (map: string, name: string): Path => path.child(map).key(shortened(name, MAX_KEY));
  const isShared = device.allowMultipleAllocations === true;
  return [
    ...when(total > MAX_ATTRIBUTES, invalid(path, total, text)),
    ...attributes.flatMap(([name, value]) => [
      ...validateAttributeName(name, at('attributes', name)),
      ...validateAttribute(value ?? {}, at('attributes', name)),
    ]),
    ...capacity.flatMap(([name, value]) => [
      ...validateAttributeName(name, at('capacity', name)),
      ...validateCapacity(value ?? {}, isShared, at('capacity', name)),
    ]),
  ];
}

export interface DeviceContext {
  /** The device of that name that was there before. */
  readonly old: Device | undefined;
  /** Each device says from where it can be reached. */
  readonly eachSays: boolean;
}

/** k8s pkg/apis/resource/validation/validation.go:validateDevice. */
export function validateDevice(
  device: Device,
  { old, eachSays }: DeviceContext,
  path: Path,
): FieldError[] {
  const sameTaints = old !== undefined && isDeepEqual(old.taints, device.taints);
  const bound = { max: MAX_CONSUMED, keyOf: (one: { counterSet: string }) => one.counterSet };
  return [
    ...validateDeviceName(device.name, path.child('name')),
    ...validateNamedValues(device, path),
    ...(sameTaints
      ? []
      : validateBounded(device.taints, path.child('taints'), { max: MAX_TAINTS }, validateTaint)),
    ...validateBounded(device.consumesCounters, path.child('consumesCounters'), bound, (one, at) =>
      validateCounters(
        { value: one.counterSet, path: at.child('counterSet') },
        one.counters,
        at.child('counters'),
      ),
    ),
    ...validateNodes(device, eachSays, path),
    ...validateBindings(device, path),
  ];
}
