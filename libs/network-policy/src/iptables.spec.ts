import { describe, expect, it } from '@jest/globals';
import { Block, parseAddress } from './address.js';
import { compilePolicies } from './compile.js';
import { renderPolicyFilter } from './iptables.js';
import { namespace, pod, policy } from './policy-fixture.js';

describe('renderPolicyFilter()', () => {
  const set = {
    ...compilePolicies({
      policies: [
        policy('default', 'p', {
          podSelector: { matchLabels: { app: 'web' } },
          ingress: [
            {
              from: [{ podSelector: { matchLabels: { app: 'job' } } }],
              ports: [{ port: 80, endPort: 90 }],
            },
            { from: [{ ipBlock: { cidr: '192.0.2.0/30', except: ['192.0.2.1/32'] } }] },
          ],
        }),
      ],
      pods: [
        pod('default', 'web', '10.244.1.2', { app: 'web' }),
        pod('default', 'job', '10.244.2.2', { app: 'job' }),
      ],
      namespaces: [namespace('default')],
    }),
    nodes: [{ addresses: ['198.18.1.1'], podCidrs: ['10.244.1.0/24'] }],
  };

  it('guards the pods of its own node', () => {
    const chain = 'ORRERY-IN-2a4ac5f6f0a1b7e8';
    const text = renderPolicyFilter(set, { family: 4, podCidrs: ['10.244.1.0/24'] });
    const name = /^:(ORRERY-IN-[0-9a-f]{16}) /m.exec(text)?.[1] ?? '';
    expect(text.replaceAll(name, chain)).toBe(`*filter
:ORRERY-POLICY - [0:0]
:ORRERY-SERVICES - [0:0]
:${chain} - [0:0]
-A ORRERY-POLICY -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
-A ORRERY-POLICY -s 198.18.1.1 -j RETURN
-A ORRERY-POLICY -s 10.244.1.0 -j RETURN
-A ORRERY-POLICY -s 10.244.1.1 -j RETURN
-A ORRERY-POLICY -d 10.244.1.2 -m comment --comment "default/web" -j ${chain}
-A ${chain} -s 10.244.2.2 -p tcp -m tcp --dport 80:90 -j RETURN
-A ${chain} -s 192.0.2.0/32 -j RETURN
-A ${chain} -s 192.0.2.2/31 -j RETURN
-A ${chain} -j DROP
-A ORRERY-SERVICES -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
COMMIT
`);
  });

  it('guards the addresses of Services behind what every node may do', () => {
    const backends = [{ address: '10.244.1.2', port: 80 }];
    const services = [{ address: '10.96.0.5', port: 80, protocol: 'TCP' as const, backends }];
    const text = renderPolicyFilter(set, { family: 4, podCidrs: ['10.244.1.0/24'], services });
    const vip = '-d 10.96.0.5 -p tcp -m tcp --dport 80';
    expect(text.split('\n').filter((line) => line.startsWith('-A ORRERY-SERVICES'))).toEqual(
      [
        '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
        '-s 198.18.1.1 -j RETURN',
        '-s 10.244.1.0 -j RETURN',
        '-s 10.244.1.1 -j RETURN',
        ...['10.244.1.2', '10.244.2.2', '192.0.2.0/32', '192.0.2.2/31'].map(
          (source) => `-s ${source} ${vip} -j RETURN`,
        ),
        `${vip} -j DROP`,
      ].map((line) => `-A ORRERY-SERVICES ${line}`),
    );
  });

  it.each([
    { name: 'of another node', family: 4 as const, podCidrs: ['10.244.2.0/24'] },
    { name: 'of the other family', family: 6 as const, podCidrs: ['10.244.1.0/24'] },
  ])('has nothing for pods $name', ({ family, podCidrs }) => {
    expect(renderPolicyFilter(set, { family, podCidrs })).not.toContain('ORRERY-IN-');
  });
});

describe(Block.name, () => {
  it.each([
    { cidr: '10.0.0.0/8', address: '10.255.0.1', want: true },
    { cidr: '10.0.0.0/8', address: '11.0.0.0', want: false },
    { cidr: '0.0.0.0/0', address: '::1', want: false },
    { cidr: 'fd00:10::/48', address: 'fd00:10:0:ffff::1', want: true },
    { cidr: 'fd00:10::/48', address: 'fd00:11::', want: false },
    { cidr: '10.0.0.0/8', address: '::ffff:10.1.1.1', want: true },
  ])('$cidr holds $address: $want', ({ cidr, address, want }) => {
    const parsed = parseAddress(address);
    expect(parsed && Block.parse(cidr)?.contains(parsed)).toBe(want);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', '10.0.0.0/', 'fe80::1%eth0', 'x'])('refuses %s', (text) => {
    expect(Block.parse(text)).toBeUndefined();
  });

  it('cuts holes out', () => {
    const block = Block.parse('10.0.0.0/29');
    const hole = Block.parse('10.0.0.2/31');
    expect(block?.without(hole ? [hole] : []).map(String)).toEqual(['10.0.0.0/31', '10.0.0.4/30']);
    expect(Block.parse('fd00::/64')?.toString()).toBe('fd00:0:0:0:0:0:0:0/64');
  });
});
