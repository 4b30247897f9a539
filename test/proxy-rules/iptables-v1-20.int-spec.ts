// What `orrery proxy rules --as iptables-save --like 1.20` prints is compared with what upstream's kube-proxy 1.20 writes
// into the tables of a network namespace. KUBE_BIN_DIR names the folder with the binary.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { EndpointSlice, Service } from '@orrery/api';
import { iptables120, printedPorts } from '@orrery/kube-proxy';

const binary = join(process.env['KUBE_BIN_DIR'] ?? '/nowhere', 'kube-proxy');
const canUnshare = (): boolean =>
  spawnSync('unshare', ['-n', 'iptables-save', '-t', 'nat']).status === 0;
const reason = !existsSync(binary)
  ? 'KUBE_BIN_DIR names no kube-proxy'
  : canUnshare()
    ? ''
    : 'no network namespace with iptables can be made';
const NOT_RUN = reason ? ` (not run: ${reason})` : '';

const PORT = { name: 'p80', port: 80, protocol: 'TCP', targetPort: 80 } as const;
const service = (
  name: string,
  clusterIP: string,
  spec: Partial<Service['spec']> = {},
): Service => ({
  metadata: { namespace: 'ns', name, uid: name },
  spec: {
    clusterIP,
    clusterIPs: [clusterIP],
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ports: [PORT],
    ...spec,
  },
});
const withIngress = (one: Service, ip: string): Service => ({
  ...one,
  status: { loadBalancer: { ingress: [{ ip }] } },
});
const nodePort = (port: number): Partial<Service['spec']> => ({
  type: 'NodePort',
  ports: [{ ...PORT, nodePort: port }],
});

const SERVICES: readonly Service[] = [
  service('plain', '10.20.0.1'),
  service('empty', '10.20.0.2', nodePort(30_002)),
  service('sticky', '10.20.0.3', {
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
  }),
  service('node-port', '10.20.0.4', nodePort(30_004)),
  service('node-port-local', '10.20.0.5', { ...nodePort(30_005), externalTrafficPolicy: 'Local' }),
  service('external', '10.20.0.6', { externalIPs: ['198.51.100.6'] }),
  withIngress(
    service('balanced', '10.20.0.7', {
      ...nodePort(30_007),
      type: 'LoadBalancer',
      loadBalancerSourceRanges: ['203.0.113.0/24', '192.0.2.0/24'],
    }),
    '198.51.100.7',
  ),
  withIngress(
    service('balanced-local', '10.20.0.8', {
      ...nodePort(30_008),
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30_108,
    }),
    '198.51.100.8',
  ),
  service('dns', '10.20.0.9', {
    ports: [{ name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 }],
  }),
  service('unnamed', '10.20.0.10', { ports: [{ port: 8080, protocol: 'TCP', targetPort: 80 }] }),
  service('headless', 'None'),
];

/** Three endpoints, one of them here; `empty` has none, `node-port-local` none here. */
function sliceOf({ metadata, spec }: Service): EndpointSlice {
  const name = metadata.name ?? '';
  const at = SERVICES.findIndex((one) => one.metadata.name === name);
  const [port] = spec.ports ?? [];
  const nodes = name === 'node-port-local' ? ['there', 'there'] : ['here', 'there', 'there'];
  return {
    metadata: {
      namespace: 'ns',
      name: `${name}-1`,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: 'IPv4',
    ports: [
      {
        name: port?.name ?? '',
        port: port?.protocol === 'UDP' ? 5353 : 80,
        protocol: port?.protocol ?? 'TCP',
      },
    ],
    endpoints: (name === 'empty' ? [] : nodes).map((nodeName, i) => ({
      addresses: [`10.30.${at}.${i + 1}`],
      conditions: { ready: true },
      nodeName,
    })),
  };
}

/** As discovery.k8s.io/v1beta1, which 1.20 reads. */
const asBeta = (slice: EndpointSlice): object => ({
  ...slice,
  endpoints: slice.endpoints?.map(({ nodeName, ...rest }) => ({
    ...rest,
    topology: { 'kubernetes.io/hostname': nodeName },
  })),
});

const list = (apiVersion: string, kind: string, items: readonly object[]): object => ({
  apiVersion,
  kind: `${kind}List`,
  metadata: { resourceVersion: '1' },
  items,
});

/** Its chains with their rules; the canary, by which it sees that somebody emptied a table, and the kubelet's are left out. */
function kubeChains(text: string): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const chain = /^(?:-A |:)(KUBE-(?!MARK-DROP|PROXY-CANARY)\S+)/.exec(line)?.[1];
    if (chain === undefined) continue;
    const key = `${table} ${chain}`;
    const rules = chains.get(key) ?? [];
    chains.set(key, line.startsWith('-A') ? [...rules, line.trim()] : rules);
  }
  return chains;
}

/** Upstream walks its services in random order: rules of shared chains are compared as a set, the last rule apart. */
const inOrder = (chains: Map<string, string[]>): Record<string, string[]> =>
  Object.fromEntries(
    [...chains].sort().map(([name, rules]) => {
      const isShared = /KUBE-(SERVICES|EXTERNAL-SERVICES|NODEPORTS)$/.test(name);
      return [name, isShared ? [...rules].sort() : rules];
    }),
  );

describe("upstream's kube-proxy 1.20", () => {
  const dir = mkdtempSync(join(tmpdir(), 'orrery-proxy-rules-'));
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it(`writes the rules that are printed here${NOT_RUN}`, () => {
    if (reason) return;
    const slices = SERVICES.filter(({ spec }) => spec.clusterIP !== 'None').map(sliceOf);
    const node = {
      metadata: { name: 'here' },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.2' }] },
    };
    const file = join(dir, 'objects.json');
    const lists = {
      '/api/v1/services': list('v1', 'Service', SERVICES),
      '/api/v1/nodes': list('v1', 'Node', [node]),
      '/api/v1/nodes/here': { apiVersion: 'v1', kind: 'Node', ...node },
      '/apis/discovery.k8s.io/v1beta1/endpointslices': list(
        'discovery.k8s.io/v1beta1',
        'EndpointSlice',
        slices.map(asBeta),
      ),
    };
    writeFileSync(file, JSON.stringify(lists));
    const config = join(dir, 'config.json');
    writeFileSync(
      config,
      JSON.stringify({
        apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
        kind: 'KubeProxyConfiguration',
        clientConnection: { kubeconfig: join(dir, 'kubeconfig'), contentType: 'application/json' },
        clusterCIDR: '10.30.0.0/16',
        mode: 'iptables',
        hostnameOverride: 'here',
        conntrack: {
          maxPerCore: 0,
          min: 0,
          tcpEstablishedTimeout: '0s',
          tcpCloseWaitTimeout: '0s',
        },
      }),
    );
    writeFileSync(
      join(dir, 'kubeconfig'),
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:8001' } }],
        contexts: [{ name: 'c', context: { cluster: 'c' } }],
        'current-context': 'c',
      }),
    );
    const api = fileURLToPath(new URL('fake-api.mjs', import.meta.url));
    // Everything ends with the shell: the namespace goes with its last process.
    const script = `
      ip link set lo up; ip addr add 192.0.2.2/32 dev lo
      "${process.execPath}" "${api}" "${file}" 8001 & api=$!
      "${binary}" --config="${config}" >"${dir}/kube-proxy.log" 2>&1 & proxy=$!
      for i in $(seq 100); do
        sleep 0.1; iptables-save >"${dir}/saved"
        grep -q 'KUBE-SVC.*ns/unnamed' "${dir}/saved" && break
      done
      kill $proxy $api; wait; cat "${dir}/saved"`;
    const { stdout } = spawnSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8' });
    const ports = printedPorts(
      SERVICES,
      (one) => slices.filter((slice) => slice.metadata.name === `${one.metadata.name}-1`),
      { nodeName: 'here', zone: '' },
    );
    const ours = iptables120(ports, {
      clusterCidr: '10.30.0.0/16',
      masqueradeAll: false,
      masqueradeBit: 14,
      nodeIp: '192.0.2.2',
      nodePortAddresses: [],
    });
    expect(inOrder(kubeChains(ours))).toEqual(inOrder(kubeChains(stdout)));
  }, 20_000);
});
