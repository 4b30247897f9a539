import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type {
  CounterSet,
  Device,
  ResourceSlice,
  ResourceSliceSpec,
} from '../../../gen/types/resource.v1.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { list } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateBounded, validateDriverName, validatePoolName } from '../device/device-names.js';
import { validateCounters, validateDevice } from './device.validation.js';
import { UNSET_OR_TRUE, setNodes, validateSetNodes } from './slice-nodes.validation.js';

const SPEC = FieldPath.of('spec');
const MAX_DEVICES = 128;
/** When any has taints or takes of counters. */
const MAX_ADVANCED = 64;
const MAX_COUNTER_SETS = 8;

const validateCounterSet = ({ name, counters }: CounterSet, path: Path): FieldError[] =>
  validateCounters({ value: name, path: path.child('name') }, counters, path.child('counters'));

/** Where the slice's devices can be reached from: said in exactly one way. */
function validateNodes(spec: Partial<ResourceSliceSpec>): FieldError[] {
  const nodes = [
    ...setNodes(spec),
    ...(spec.perDeviceNodeSelection ? ['`perDeviceNodeSelection`'] : []),
  ];
  const oneWanted =
    'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  const terms = spec.nodeSelector?.nodeSelectorTerms;
  return [
    ...validateSetNodes(spec, SPEC, 'must be either unset or set to a non-empty string'),
    ...when(
      Boolean(spec.nodeSelector) && list(terms).length !== 1,
      invalid(
        SPEC.child('nodeSelector', 'nodeSelectorTerms'),
        terms?.map((term) => internalForm(term, 'core/v1.NodeSelectorTerm')),
        'must have exactly one node selector term',
      ),
    ),
    ...when(
      spec.perDeviceNodeSelection === false,
      invalid(SPEC.child('perDeviceNodeSelection'), false, UNSET_OR_TRUE),
    ),
    ...when(nodes.length === 0, required(SPEC, oneWanted)),
    ...when(
      nodes.length > 1,
      invalid(SPEC, `{${nodes.join(', ')}}`, `${oneWanted}, but multiple fields are set`),
    ),
  ];
}

function validatePool({ pool }: Partial<ResourceSliceSpec>): FieldError[] {
  const path = SPEC.child('pool');
  const { resourceSliceCount = 0, generation = 0, name } = pool ?? {};
  return [
    ...validatePoolName(name, path.child('name')),
    ...when(
      resourceSliceCount <= 0,
      invalid(path.child('resourceSliceCount'), resourceSliceCount, 'must be greater than zero'),
    ),
    ...when(
      generation < 0,
      invalid(path.child('generation'), generation, 'must be greater than or equal to zero'),
    ),
  ];
}

const fixed = ({ spec }: ResourceSlice, { spec: old }: ResourceSlice): FieldError[] => [
  ...immutable(spec?.pool?.name, old?.pool?.name, SPEC.child('pool', 'name')),
  ...immutable(spec?.driver, old?.driver, SPEC.child('driver')),
  ...immutable(spec?.nodeName, old?.nodeName, SPEC.child('nodeName')),
];

const isAdvanced = ({ taints, consumesCounters }: Device): boolean =>
  list(taints).length > 0 || list(consumesCounters).length > 0;

/** k8s pkg/apis/resource/validation/validation.go:validateResourceSliceSpec. */
export function validateResourceSlice(slice: ResourceSlice, old?: ResourceSlice): FieldError[] {
  const spec: Partial<ResourceSliceSpec> = slice.spec ?? {};
  const devices = list(spec.devices);
  const before = new Map(list(old?.spec?.devices).map((one) => [one.name, one]));
  const eachSays = spec.perDeviceNodeSelection === true;
  const max = devices.some(isAdvanced) ? MAX_ADVANCED : MAX_DEVICES;
  const isBoth = devices.length > 0 && list(spec.sharedCounters).length > 0;
  return [
    ...validateDriverName(spec.driver, SPEC.child('driver')),
    ...validatePool(spec),
    ...(old ? fixed(slice, old) : []),
    ...validateNodes(spec),
    ...when(isBoth, invalid(SPEC, '', 'only one of `sharedCounters` or `devices` is allowed')),
    ...validateBounded(
      spec.devices,
      SPEC.child('devices'),
      { max, keyOf: (device) => device.name },
      (device, at) => validateDevice(device, { old: before.get(device.name), eachSays }, at),
    ),
    ...validateBounded(
      spec.sharedCounters,
      SPEC.child('sharedCounters'),
      { max: MAX_COUNTER_SETS, keyOf: ({ name }) => name },
      validateCounterSet,
    ),
  ];
}
