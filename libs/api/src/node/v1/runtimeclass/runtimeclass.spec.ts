import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../../findings.fixture.js';
import { objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import { RuntimeClassKind } from './runtimeclass.kind.js';

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const rows: Refused[] = [
  {
    name: 'a handler that is no label',
    change: { handler: 'A' },
    want: [`handler: Invalid value: "A": ${LABEL}`],
  },
  {
    name: 'an overhead that is less than nothing',
    change: { overhead: { podFixed: { cpu: '-1' } } },
    want: ['overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
  },
  {
    name: 'an overhead that pods have none of',
    change: { overhead: { podFixed: { pods: '1' } } },
    want: [
      'overhead.limits[pods]: Invalid value: "pods": must be a standard resource for containers',
    ],
  },
  {
    name: 'a label that is none',
    change: { scheduling: { nodeSelector: { a: '-' } } },
    want: [
      "scheduling.nodeSelector: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  },
  {
    name: 'a toleration of nothing',
    change: { scheduling: { tolerations: [{ operator: 'Equal' }] } },
    want: [
      'scheduling.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
  },
];

describe('a RuntimeClass', () => {
  it.each(rows)('is refused for $name', ({ change, want }) => {
    expect(refusals(RuntimeClassKind, change)).toEqual(want);
  });

  it('keeps its handler', () => {
    expect(updateRefusals(RuntimeClassKind, { handler: 'a' }, { handler: 'b' })).toEqual([
      'handler: Invalid value: "b": field is immutable',
    ]);
  });

  it('is warned of for a label of nodes that has been replaced', () => {
    const warnings: string[] = [];
    const scheduling = { nodeSelector: { 'beta.kubernetes.io/os': 'linux', constructor: 'x' } };
    const context = { now: '', warn: (text: string) => warnings.push(text) };
    RuntimeClassKind.strategy.validate?.(objectOf(RuntimeClassKind, { scheduling }), context);
    expect(warnings).toEqual([
      'scheduling.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    ]);
  });
});
