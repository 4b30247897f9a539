import { describe, expect, it } from '@jest/globals';
import { compilePolicies } from './compile.js';
import { namespace, pod, policy } from './policy-fixture.js';
import { renderServiceFilter } from './service-filter.js';

const VIP = '10.96.0.5';
const pods = [
  pod('default', 'web', '10.244.1.2', { app: 'web' }),
  pod('default', 'web-2', '10.244.2.2', { app: 'web' }),
  pod('default', 'job', '10.244.2.3', { app: 'job' }),
  pod('default', 'other', '10.244.2.4', { app: 'other' }),
];
const web = {
  address: VIP,
  port: 80,
  protocol: 'TCP' as const,
  backends: [
    { address: '10.244.1.2', port: 8080 },
    { address: '10.244.2.2', port: 8080 },
  ],
};

/** The rules of the chain, without what all of them share. */
function rules(
  specs: readonly Parameters<typeof policy>[2][],
  service: typeof web = web,
  family: 4 | 6 = 4,
): string[] {
  const set = compilePolicies({
    policies: specs.map((spec, i) => policy('default', `p${i}`, spec)),
    pods,
    namespaces: [namespace('default')],
  });
  return renderServiceFilter(set, [service], family).map((line) =>
    line.replace('-A ORRERY-SERVICES ', '').replace('-d 10.96.0.5 -p tcp -m tcp --dport 80 ', ''),
  );
}

const from = { podSelector: { matchLabels: { app: 'job' } } };
const ofWeb = { matchLabels: { app: 'web' } };

describe(renderServiceFilter.name, () => {
  it.each<{ name: string; specs: Parameters<typeof policy>[2][]; want: string[] }>([
    { name: 'no policy', specs: [], want: [] },
    {
      name: 'a service whose pods admit nobody but themselves',
      specs: [{ podSelector: ofWeb }],
      want: ['-s 10.244.1.2 -j RETURN', '-s 10.244.2.2 -j RETURN', '-j DROP'],
    },
    {
      name: 'pods that admit one',
      specs: [{ podSelector: ofWeb, ingress: [{ from: [from], ports: [{ port: 8080 }] }] }],
      want: [
        '-s 10.244.1.2 -j RETURN',
        '-s 10.244.2.2 -j RETURN',
        '-s 10.244.2.3 -j RETURN',
        '-j DROP',
      ],
    },
    {
      name: 'pods that admit one at another port',
      specs: [{ podSelector: ofWeb, ingress: [{ from: [from], ports: [{ port: 80 }] }] }],
      want: ['-s 10.244.1.2 -j RETURN', '-s 10.244.2.2 -j RETURN', '-j DROP'],
    },
    {
      name: 'pods that admit all at that port',
      specs: [{ podSelector: ofWeb, ingress: [{ ports: [{ port: 8080 }] }] }],
      want: [],
    },
    {
      name: 'pods that admit a block',
      specs: [
        {
          podSelector: ofWeb,
          ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/30', except: ['192.0.2.1/32'] } }] }],
        },
      ],
      want: [
        '-s 10.244.1.2 -j RETURN',
        '-s 10.244.2.2 -j RETURN',
        '-s 192.0.2.0/32 -j RETURN',
        '-s 192.0.2.2/31 -j RETURN',
        '-j DROP',
      ],
    },
    {
      name: 'a client that may call nobody',
      specs: [{ podSelector: { matchLabels: { app: 'job' } }, policyTypes: ['Egress'] }],
      want: ['-s 10.244.2.3 -j DROP'],
    },
    {
      name: 'a client that may call one of the pods',
      specs: [
        {
          podSelector: { matchLabels: { app: 'job' } },
          policyTypes: ['Egress'],
          egress: [{ to: [{ ipBlock: { cidr: '10.244.1.2/32' } }] }],
        },
      ],
      want: [],
    },
    {
      name: 'a client that is admitted and may not call',
      specs: [
        { podSelector: ofWeb, ingress: [{ from: [from] }] },
        { podSelector: { matchLabels: { app: 'job' } }, policyTypes: ['Egress'] },
      ],
      want: [
        '-s 10.244.2.3 -j DROP',
        '-s 10.244.1.2 -j RETURN',
        '-s 10.244.2.2 -j RETURN',
        '-j DROP',
      ],
    },
  ])('$name', ({ specs, want }) => {
    expect(rules(specs)).toEqual(want);
  });

  it('leaves a service alone that has a pod without policy', () => {
    const backends = [...web.backends, { address: '10.244.2.4', port: 8080 }];
    expect(rules([{ podSelector: ofWeb }], { ...web, backends })).toEqual([]);
  });

  it('leaves one without pods alone, which refuses by itself', () => {
    expect(rules([{ podSelector: {} }], { ...web, backends: [] })).toEqual([]);
  });

  it('has nothing for services of the other family', () => {
    expect(rules([{ podSelector: ofWeb }], web, 6)).toEqual([]);
  });
});
