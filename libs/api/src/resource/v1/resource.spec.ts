import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../findings.fixture.js';
import { context, objectOf, refusals, updateRefusals } from '../../findings.fixture.js';
import { DeviceClassKind } from './deviceclass/deviceclass.kind.js';
import { ResourceClaimKind } from './resourceclaim/resourceclaim.kind.js';
import { ResourceSliceKind } from './resourceslice/resourceslice.kind.js';

const asks = (...requests: object[]): object => ({ spec: { devices: { requests } } });
const exactly = { deviceClassName: 'gpu' };

describe('taints of devices', () => {
  const taint = { key: 'a.b/c', effect: 'NoSchedule' };
  const slice = (...taints: object[]): object => ({
    spec: { devices: [{ name: 'x', taints }] },
  });

  it('tell since when they are, from the time at which they are written', () => {
    const timed = { ...taint, timeAdded: '2020-01-01T00:00:00Z' };
    const created = objectOf(ResourceSliceKind, slice(taint, timed));
    ResourceSliceKind.strategy.prepareForCreate?.(created, context);
    const updated = objectOf(ResourceSliceKind, slice(taint, timed));
    ResourceSliceKind.strategy.prepareForUpdate?.(updated, created, context);
    for (const { spec } of [created, updated])
      expect(spec.devices?.[0]?.taints).toEqual([{ ...taint, timeAdded: context.now }, timed]);
  });
});

describe('a resource claim', () => {
  it.each<Refused>([
    {
      name: 'requests of no or of two kinds',
      change: asks(
        { name: 'a' },
        { name: 'b', exactly, firstAvailable: [{ name: 'x', ...exactly }] },
        { name: 'a', exactly: { deviceClassName: '' } },
      ),
      want: [
        'spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required',
        'spec.devices.requests[1]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
        'spec.devices.requests[2].exactly.deviceClassName: Required value',
        'spec.devices.requests[2]: Duplicate value: "a"',
      ],
    },
    {
      name: 'counts that do not fit their mode',
      change: asks(
        { name: 'a', exactly: { ...exactly, allocationMode: 'All', count: 2 } },
        { name: 'b', exactly: { ...exactly, allocationMode: 'ExactCount', count: -1 } },
        { name: 'c', exactly: { ...exactly, allocationMode: 'Some' } },
      ),
      want: [
        "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
        'spec.devices.requests[1].exactly.count: Invalid value: -1: must be greater than zero',
        'spec.devices.requests[2].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"',
      ],
    },
    {
      name: 'constraints of nothing, and too many requests',
      change: {
        spec: {
          devices: {
            requests: Array.from({ length: 33 }, () => ({ name: '' })),
            constraints: [{}],
          },
        },
      },
      want: [
        'spec.devices.requests: Too many: 33: must have at most 32 items',
        'spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
      ],
    },
    {
      name: 'selectors that do not compile',
      change: asks({
        name: 'a',
        exactly: {
          ...exactly,
          selectors: [
            { cel: { expression: 'device.nope' } },
            { cel: { expression: 'device.driver' } },
            { cel: { expression: 'device.attributes["a.b"].model == "x"' } },
            {
              cel: { expression: 'device.capacity["a.b"].memory.compareTo(quantity("1Gi")) >= 0' },
            },
          ],
        },
      }),
      want: [
        'spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "device.nope": compilation failed: ERROR: <input>:1:7: undefined field \'nope\'\n | device.nope\n | ......^',
        'spec.devices.requests[0].exactly.selectors[1].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string',
      ],
    },
    {
      name: 'constraints over unknown requests',
      change: {
        spec: {
          devices: {
            requests: [{ name: 'a', exactly }],
            constraints: [{ requests: ['b', 'b'], matchAttribute: 'plain' }],
          },
        },
      },
      want: [
        'spec.devices.constraints[0].requests[0]: Invalid value: "b": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
        'spec.devices.constraints[0].requests[1]: Invalid value: "b": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
        'spec.devices.constraints[0].requests[1]: Duplicate value: "b"',
        'spec.devices.constraints[0].matchAttribute: Invalid value: "plain": a fully qualified name must be a domain and a name separated by a slash',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(ResourceClaimKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'its spec',
      before: asks({ name: 'a', exactly }),
      after: asks({ name: 'b', exactly }),
      want: ['spec: Invalid value: {…}: field is immutable'],
    },
  ])('keeps $name', ({ before, after, want }) => {
    expect(
      updateRefusals(ResourceClaimKind, before, after).map((line) => line.replace(/\{.*\}/, '{…}')),
    ).toEqual(want);
  });

  it.each<{ name: string; now: readonly string[]; told: readonly string[]; want?: string[] }>([
    {
      name: 'what is said of devices that go',
      now: ['b'],
      told: ['a', 'b', 'c'],
      want: ['b', 'c'],
    },
    { name: 'all that is said with the allocation', now: [], told: ['a', 'b'] },
  ])('drops $name', ({ now, told, want }) => {
    const device = (name: string) => ({ driver: 'd', pool: 'p', device: name });
    const claim = (results: readonly string[], devices: readonly string[]) =>
      objectOf(ResourceClaimKind, {
        spec: {},
        status: {
          ...(results.length > 0
            ? {
                allocation: {
                  devices: { results: results.map((name) => ({ request: 'r', ...device(name) })) },
                },
              }
            : {}),
          devices: devices.map(device),
        },
      });
    const next = claim(now, told);
    ResourceClaimKind.status?.prepareForUpdate?.(next, claim(['a', 'b'], told), context);
    expect(next.status?.devices).toEqual(want?.map(device));
  });
});

describe('a device class', () => {
  it.each<Refused>([
    {
      name: 'selectors and configurations without content',
      change: { spec: { selectors: [{}, { cel: { expression: '' } }], config: [{}] } },
      want: [
        'spec.selectors[0].cel: Required value',
        'spec.selectors[1].cel.expression: Required value',
        'spec.config[0].opaque: Required value',
      ],
    },
    {
      name: 'a name that no extended resource has',
      change: { spec: { extendedResourceName: 'cpu' } },
      want: [
        'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(DeviceClassKind, change)).toEqual(want);
  });
});

describe('a resource slice', () => {
  it.each<Refused>([
    {
      name: 'two ways to say which nodes',
      change: { spec: { allNodes: true, driver: 'No_Driver' } },
      want: [
        "spec.driver: Invalid value: \"No_Driver\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
      ],
    },
    {
      name: 'devices of one name, with attributes of no type',
      change: {
        spec: {
          devices: [
            { name: 'gpu-0', attributes: { model: {}, 'a b': { string: 'x' } } },
            { name: 'gpu-0', attributes: { model: { string: 'x', int: 1 }, v: { version: '1' } } },
          ],
        },
      },
      want: [
        "spec.devices[0].attributes[a b]: Invalid value: \"a b\": a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')",
        'spec.devices[0].attributes[model]: Invalid value: "": exactly one value must be specified',
        'spec.devices[1].attributes[model]: Invalid value: {"IntValue":1,"BoolValue":null,"StringValue":"x","VersionValue":null,"IntValues":null,"BoolValues":null,"StringValues":null,"VersionValues":null}: exactly one value must be specified',
        'spec.devices[1].attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
        'spec.devices[1]: Duplicate value: "gpu-0"',
      ],
    },
    {
      name: 'nodes that are not said',
      change: { spec: { nodeName: '', allNodes: false, perDeviceNodeSelection: false } },
      want: [
        'spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string',
        'spec.allNodes: Invalid value: false: must be either unset or set to true',
        'spec.perDeviceNodeSelection: Invalid value: false: must be either unset or set to true',
        'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
      ],
    },
    {
      name: 'devices that say from where they can be reached, or do not',
      change: {
        spec: {
          nodeName: undefined,
          perDeviceNodeSelection: true,
          devices: [{ name: 'a' }, { name: 'b', nodeName: 'n', allNodes: true }],
        },
      },
      want: [
        'spec.devices[0]: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
        'spec.devices[1]: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    },
    {
      name: 'what devices say of nodes, counters and bindings out of place',
      change: {
        spec: {
          sharedCounters: [{ name: '', counters: {} }],
          devices: [
            {
              name: 'a',
              nodeName: 'n',
              consumesCounters: [{ counterSet: 's', counters: { 'B!': { value: '1' } } }],
              bindingConditions: ['a.b/c', 'a.b/c'],
              bindingFailureConditions: ['a.b/c'],
            },
            { name: 'b', bindingConditions: ['x'] },
          ],
        },
      },
      want: [
        'spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed',
        `spec.devices[0].consumesCounters[0].counters[B!]: Invalid value: "B!": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
        'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
        'spec.devices[0].bindingConditions[1]: Duplicate value: "a.b/c"',
        'spec.devices[0].bindingFailureConditions[0]: Invalid value: "a.b/c": bindingFailureConditions must not overlap with bindingConditions',
        'spec.devices[1].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions',
        'spec.sharedCounters[0].name: Required value',
        'spec.sharedCounters[0].counters: Required value',
      ],
    },
    {
      name: 'parts of capacities that cannot be had',
      change: {
        spec: {
          devices: [
            { name: 'a', capacity: { m: { value: '8', requestPolicy: { default: '1' } } } },
            {
              name: 'b',
              allowMultipleAllocations: true,
              capacity: {
                a: { value: '8', requestPolicy: { validValues: ['1'] } },
                b: { value: '8', requestPolicy: { default: '3', validValues: ['2', '1', '9'] } },
                c: {
                  value: '8',
                  requestPolicy: { default: '5', validRange: { min: '2', max: '9', step: '2' } },
                },
                d: { value: '8', requestPolicy: { default: '1', validRange: {} } },
                e: {
                  value: '8',
                  requestPolicy: { default: '1', validRange: { min: '1' }, validValues: ['1'] },
                },
              },
            },
          ],
        },
      },
      want: [
        'spec.devices[0].capacity[m].requestPolicy: Forbidden: allowMultipleAllocations must be true',
        'spec.devices[1].capacity[a].requestPolicy.default: Required value: required when validValues is defined',
        'spec.devices[1].capacity[b].requestPolicy.validValues[1]: Invalid value: "1": values must be sorted in ascending order',
        'spec.devices[1].capacity[b].requestPolicy.validValues[2]: Invalid value: "9": option is larger than capacity value: 8',
        'spec.devices[1].capacity[b].requestPolicy.validValues: Invalid value: "3": default value is not valid according to the requestPolicy',
        'spec.devices[1].capacity[c].requestPolicy.validRange.max: Invalid value: "9": max is larger than capacity value: 8',
        'spec.devices[1].capacity[c].requestPolicy.validRange.step: Invalid value: "5": value is not a multiple of a given step (2) from (2)',
        'spec.devices[1].capacity[c].requestPolicy.validRange.step: Invalid value: "9": value is not a multiple of a given step (2) from (2)',
        'spec.devices[1].capacity[d].requestPolicy.validRange.min: Required value: required when validRange is defined',
        'spec.devices[1].capacity[e].requestPolicy: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      ],
    },
    {
      name: 'a pool of no slices',
      change: { spec: { pool: { resourceSliceCount: 0, generation: -1, name: 'A' } } },
      want: [
        "spec.pool.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
        'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(ResourceSliceKind, change)).toEqual(want);
  });
});
