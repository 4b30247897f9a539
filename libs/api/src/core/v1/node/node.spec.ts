import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { NodeKind } from './node.kind.js';

describe('a node', () => {
  it.each<Refused>([
    {
      name: 'taints of no kind, and one twice',
      change: {
        spec: {
          taints: [
            { key: 'a b', effect: 'NoSchedule' },
            { key: 'a', effect: 'Never' },
            { key: 'b', effect: 'NoExecute', value: 'x y' },
            { key: 'c' },
            { key: 'd', effect: 'NoExecute' },
            { key: 'd', effect: 'NoExecute', value: 'other' },
          ],
        },
      },
      want: [
        "metadata.taints[0].key: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        'metadata.taints[1].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        "metadata.taints[2].value: Invalid value: \"x y\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        'metadata.taints[3].effect: Required value',
        'metadata.taints[5]: Duplicate value: {"Key":"d","Value":"other","Effect":"NoExecute","TimeAdded":null}: taints must be unique by key and effect pair',
      ],
    },
    {
      name: 'two ranges of one family',
      change: { spec: { podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] } },
      want: [
        'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
      ],
    },
    {
      name: 'a range that is none',
      change: { spec: { podCIDRs: ['10.0.0.0'] } },
      want: [
        'spec.podCIDRs[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(NodeKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'its range and its provider',
      before: { spec: { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'], providerID: 'a' } },
      after: { spec: { podCIDR: '10.0.1.0/24', podCIDRs: ['10.0.1.0/24'], providerID: 'b' } },
      want: [
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
        'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
      ],
    },
  ])('keeps $name', ({ before, after, want }) => {
    expect(updateRefusals(NodeKind, before, after)).toEqual(want);
  });
});
