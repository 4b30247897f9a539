import { describe, expect, it } from '@jest/globals';
import { KubeProxyConfiguration } from '@orrery/kube-proxy';
import type { ClusterView } from './cluster-view.js';
import { formatBytes, formatConnections } from './format-connections.js';
import { formatRules } from './format-rules.js';

const view: ClusterView = {
  node: {
    metadata: { name: 'k8s-02' },
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address: '127.9.0.2' }] },
  },
  services: [
    {
      metadata: { namespace: 'default', name: 'web' },
      spec: {
        type: 'NodePort',
        clusterIP: '127.9.128.5',
        clusterIPs: ['127.9.128.5'],
        ports: [{ port: 80, protocol: 'TCP', nodePort: 30_080 }],
      },
    },
  ],
  config: new KubeProxyConfiguration(),
  slicesOf: () => [
    {
      metadata: { namespace: 'default', name: 'web-1' },
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      endpoints: [{ addresses: ['127.9.65.2'] }],
    },
  ],
};

describe('orrery proxy rules', () => {
  it('prints a table of the rules of a node', () => {
    expect(formatRules(view, { as: 'table', like: 'current' })).toBe(
      [
        'SERVICE       PROTO   ADDRESS           KIND        CHOICE   AFFINITY   ENDPOINTS',
        'default/web   TCP     127.9.128.5:80    clusterIP   random   <none>     127.9.65.2:8080',
        'default/web   TCP     127.9.0.2:30080   nodePort    random   <none>     127.9.65.2:8080',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['current', /^-A KUBE-NODEPORTS .* -j KUBE-EXT-\w{16}$/m],
    ['1.20', /^-A KUBE-NODEPORTS .* -j KUBE-SVC-\w{16}$/m],
  ])('prints iptables like %s', (like, want) => {
    expect(formatRules(view, { as: 'iptables-save', like })).toMatch(want);
  });

  it('prints virtual servers with the node ports of the node', () => {
    expect(formatRules(view, { as: 'ipvsadm', like: 'current' })).toContain(
      'TCP  127.9.0.2:30080 rr\n  -> 127.9.65.2:8080 ',
    );
  });
});

describe('orrery proxy connections', () => {
  it('prints who talks to whom', () => {
    expect(
      formatConnections([
        {
          protocol: 'TCP',
          client: '127.9.65.9:4000',
          frontend: '127.9.128.5:80',
          backend: '127.9.65.2:8080',
          rule: 'default/web',
          node: 'k8s-02',
          state: 'established',
          ageMs: 65_000,
          bytesToBackend: 100,
          bytesFromBackend: 3_145_728,
        },
      ]),
    ).toBe(
      'PROTO   CLIENT            ADDRESS          ENDPOINT          SERVICE       STATE         AGE   SENT   RECEIVED\n' +
        'TCP     127.9.65.9:4000   127.9.128.5:80   127.9.65.2:8080   default/web   established   65s   100B   3.0MiB',
    );
  });

  it('says so when there is none', () => {
    expect(formatConnections([])).toBe('No connections found.');
  });

  it.each([
    [0, '0B'],
    [1_023, '1023B'],
    [1_536, '1.5KiB'],
  ])('%d bytes are %s', (bytes, want) => {
    expect(formatBytes(bytes)).toBe(want);
  });
});
