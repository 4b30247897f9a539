import { describe, expect, it } from '@jest/globals';
import { ValidatingAdmissionPolicyKind } from './admissionregistration/v1/validatingadmissionpolicy/validatingadmissionpolicy.kind.js';
import { PodKind } from './core/v1/pod/pod.kind.js';
import { refusals } from './findings.fixture.js';
import type { KindDescriptor } from './kind.js';
import { ResourceSliceKind } from './resource/v1/resourceslice/resourceslice.kind.js';
import { StorageClassKind } from './storage/v1/storageclass/storageclass.kind.js';

const times = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i));

interface Case {
  readonly name: string;
  readonly kind: KindDescriptor;
  readonly change: object;
  /** A finding that a list of so many entries has, and how many at most are made of all of them. */
  readonly finding?: string;
  readonly atMost: number;
}

const names = times(15_000, (i) => `n${i}`);

/** Each took the square of its entries: seconds, or all memory. */
const CASES: readonly Case[] = [
  {
    name: '16,000 topologies of a StorageClass that are all alike',
    kind: StorageClassKind as KindDescriptor,
    change: { provisioner: 'a/b', allowedTopologies: times(16_000, () => ({})) },
    finding: 'allowedTopologies[0].matchLabelExpressions: Duplicate value: ""',
    atMost: 40_000,
  },
  {
    name: '4,000 spread constraints of a Pod',
    kind: PodKind as KindDescriptor,
    change: {
      spec: {
        topologySpreadConstraints: times(4000, (i) => ({
          maxSkew: 1,
          topologyKey: `k${i}`,
          whenUnsatisfiable: 'ScheduleAnyway',
        })),
      },
    },
    atMost: 4000,
  },
  {
    name: '15,000 binding conditions of a device',
    kind: ResourceSliceKind as KindDescriptor,
    change: {
      spec: {
        devices: [{ name: 'd', bindingConditions: names, bindingFailureConditions: names }],
      },
    },
    finding:
      'spec.devices[0].bindingFailureConditions[14999]: Invalid value: "n14999": bindingFailureConditions must not overlap with bindingConditions',
    atMost: 20_000,
  },
  {
    name: '5,000 variables of a policy',
    kind: ValidatingAdmissionPolicyKind as KindDescriptor,
    change: {
      spec: { variables: times(5000, (i) => ({ name: `v${i}`, expression: 'true' })) },
    },
    atMost: 10,
  },
];

describe('lists of very many entries', () => {
  it.each(CASES)('are gone through once: $name', ({ kind, change, finding, atMost }) => {
    const found = refusals(kind, change);
    expect(found).toEqual(expect.arrayContaining(finding === undefined ? [] : [finding]));
    expect(found.length).toBeLessThanOrEqual(atMost);
  });
});
