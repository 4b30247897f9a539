import { describe, expect, it } from '@jest/globals';
import { refusals, updateRefusals } from '../../findings.fixture.js';
import type { RefusedUpdate } from '../../findings.fixture.js';
import type { KindDescriptor } from '../../kind.js';
import { EndpointSliceKind } from '../../discovery/v1/endpointslice/endpointslice.kind.js';
import { PodDisruptionBudgetKind } from '../../policy/v1/poddisruptionbudget/poddisruptionbudget.kind.js';
import { CSIDriverKind } from './csidriver/csidriver.kind.js';
import { CSINodeKind } from './csinode/csinode.kind.js';
import { VolumeAttachmentKind } from './volumeattachment/volumeattachment.kind.js';

interface Row {
  readonly name: string;
  readonly kind: KindDescriptor;
  readonly change: object;
  readonly want: readonly string[];
}

const row = (name: string, kind: unknown, change: object, ...want: string[]): Row => ({
  name,
  kind: kind as KindDescriptor,
  change,
  want,
});
const driver = (given: object): object => ({
  spec: { drivers: [{ name: 'd.io', nodeID: 'n', ...given }] },
});
const tokens = (...tokenRequests: object[]): object => ({ spec: { tokenRequests } });
const source = (given: object): object => ({ spec: { source: given } });
const endpoint = (given: object): object => ({
  endpoints: [{ addresses: ['10.0.0.1'], ...given }],
});
const ONE = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

describe('what storage and discovery refuse', () => {
  it.each<Row>([
    row(
      'a driver of no node',
      CSINodeKind,
      driver({ nodeID: '' }),
      'spec.drivers[0].nodeID: Required value',
    ),
    row(
      'a driver of less than nothing',
      CSINodeKind,
      driver({ allocatable: { count: -1 } }),
      'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
    ),
    row(
      'a topology key twice',
      CSINodeKind,
      driver({ topologyKeys: ['a', 'a'] }),
      'spec.drivers[0]: Duplicate value: "a"',
    ),
    row(
      'tokens of one audience, and of a second',
      CSIDriverKind,
      tokens({ audience: 'a' }, { audience: 'a' }, { audience: 'b', expirationSeconds: 1 }),
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
      'spec.tokenRequests[2].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
    ),
    row(
      'modes and groups that there are not',
      CSIDriverKind,
      {
        spec: {
          volumeLifecycleModes: ['X'],
          fsGroupPolicy: 'Y',
          nodeAllocatableUpdatePeriodSeconds: 1,
        },
      },
      'spec.fsGroupPolicy: Unsupported value: "Y": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      'spec.volumeLifecycleModes: Unsupported value: "X": supported values: "Persistent", "Ephemeral"',
      'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 1: must be greater than or equal to 10 seconds',
    ),
    row(
      'tokens in secrets without tokens',
      CSIDriverKind,
      { spec: { serviceAccountTokenInSecrets: false } },
      'spec.serviceAccountTokenInSecrets: Invalid value: false: serviceAccountTokenInSecrets is set but no tokenRequests are specified',
    ),
    row(
      'an attachment of nothing',
      VolumeAttachmentKind,
      source({ persistentVolumeName: undefined }),
      `spec.source: Required value: ${ONE}`,
    ),
    row(
      'an attachment of two volumes',
      VolumeAttachmentKind,
      source({ inlineVolumeSpec: {} }),
      `spec.source: Forbidden: ${ONE}`,
    ),
    row(
      'an endpoint of no address',
      EndpointSliceKind,
      endpoint({ addresses: [] }),
      'endpoints[0].addresses: Required value: must contain at least 1 address',
    ),
    row(
      'an address of the other family',
      EndpointSliceKind,
      endpoint({ addresses: ['fd00::1'] }),
      'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address',
    ),
    row(
      'a name of one label for an address',
      EndpointSliceKind,
      { addressType: 'FQDN', endpoints: [{ addresses: ['web'] }] },
      'endpoints[0].addresses[0]: Invalid value: "web": should be a domain with at least two segments separated by dots',
    ),
    row(
      'hints for a zone twice',
      EndpointSliceKind,
      endpoint({ hints: { forZones: [{ name: 'a' }, { name: 'a' }] } }),
      'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
    ),
    row(
      'ports of one name',
      EndpointSliceKind,
      { ports: [{ port: 1 }, { port: 2, protocol: 'X' }] },
      'ports[1].name: Duplicate value: ""',
      'ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
    ),
    row(
      'a budget of both sorts and more than all',
      PodDisruptionBudgetKind,
      { spec: { minAvailable: '120%', maxUnavailable: -1 } },
      'spec: Invalid value: {"MinAvailable":"120%","Selector":null,"MaxUnavailable":-1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
      'spec.minAvailable: Invalid value: "120%": must not be greater than 100%',
      'spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0',
    ),
  ])('$name', ({ kind, change, want }) => {
    expect(refusals(kind, change)).toEqual(want);
  });

  it.each<RefusedUpdate & { readonly kind: unknown; readonly subresource?: string }>([
    {
      name: 'another node ID of a driver, though not another count',
      kind: CSINodeKind,
      before: driver({ allocatable: { count: 1 } }),
      after: driver({ allocatable: { count: 2 }, nodeID: 'm' }),
      want: [
        'spec.drivers: Invalid value: {"Name":"d.io","NodeID":"m","TopologyKeys":null,"Allocatable":null}: field is immutable',
      ],
    },
    {
      name: 'another way to attach',
      kind: CSIDriverKind,
      before: {},
      after: { spec: { attachRequired: false } },
      want: ['spec.attachedRequired: Invalid value: false: field is immutable'],
    },
    {
      name: 'an error that is less than nothing',
      kind: VolumeAttachmentKind,
      before: {},
      after: { status: { attachError: { errorCode: -1 } } },
      subresource: 'status',
      want: [
        'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      ],
    },
    {
      name: 'conditions that lack everything',
      kind: PodDisruptionBudgetKind,
      before: {},
      after: { status: { conditions: [{ type: 'A', reason: '-' }] } },
      subresource: 'status',
      want: [
        'status.conditions[0].status: Unsupported value: "": supported values: "False", "True", "Unknown"',
        'status.conditions[0].lastTransitionTime: Required value',
        "status.conditions[0].reason: Invalid value: \"-\": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')",
      ],
    },
  ])('$name', ({ kind, before, after, subresource, want }) => {
    expect(updateRefusals(kind as KindDescriptor, before, after, subresource)).toEqual(want);
  });
});
