import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../findings.fixture.js';
import { refusals, updateRefusals } from '../../findings.fixture.js';
import { DeviceClassKind } from './deviceclass/deviceclass.kind.js';
import { ResourceClaimKind } from './resourceclaim/resourceclaim.kind.js';
import { ResourceSliceKind } from './resourceslice/resourceslice.kind.js';

const asks = (...requests: object[]): object => ({ spec: { devices: { requests } } });
const exactly = { deviceClassName: 'gpu' };

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
        'spec.devices.requests[2].name: Duplicate value: "a"',
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
        'spec.devices.constraints[0].matchAttribute: Invalid value: "plain": must include a domain',
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
        'spec.devices[0].attributes[model]: Required value: exactly one value must be specified',
        'spec.devices[1].attributes[model]: Invalid value: {"string":"x","int":1}: exactly one value must be specified',
        'spec.devices[1].attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
        'spec.devices[1].name: Duplicate value: "gpu-0"',
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
