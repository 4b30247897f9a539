import { describe, expect, it } from '@jest/globals';
import type { ServiceRule } from '@orrery/dataplane';
import { rulesTable } from './rules-table.js';

const [here, there] = ['10.244.1.2', '10.244.2.2'].map((address) => ({
  address,
  port: 8080,
  weight: 1,
}));

describe(rulesTable.name, () => {
  it('says whom externalTrafficPolicy Local leads where', () => {
    const rule: ServiceRule = {
      id: 'default/web:http external',
      protocol: 'TCP',
      frontends: [{ address: '10.0.0.2', port: 30_080, kind: 'nodePort' }],
      policy: 'random',
      affinityMs: 3_000,
      backends: [],
      inside: { sources: ['10.244.0.0/16'], backends: [here, there].flatMap((one) => one ?? []) },
    };
    expect(rulesTable([rule])).toBe(
      [
        'SERVICE            PROTO   ADDRESS          KIND               CHOICE   AFFINITY   ENDPOINTS',
        'default/web:http   TCP     10.0.0.2:30080   nodePort           random   3s         <none>',
        'default/web:http   TCP     10.0.0.2:30080   nodePort, inside   random   3s         10.244.1.2:8080,10.244.2.2:8080',
        '',
      ].join('\n'),
    );
  });
});
