// Clusters whose nodes are network namespaces of this host: real addresses, real packets between nodes.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, eventually } from './harness/index.js';
import { namespacesOf, networkState, noNamespaces } from './harness/namespaces.js';

const START_MS = 120_000;
const TEST_MS = 60_000;
const MANIFESTS = readFileSync(join(import.meta.dirname, 'testdata', 'pod-networks.yaml'), 'utf8');
const why = noNamespaces();
const hasIpv6 = existsSync('/proc/net/if_inet6');
/** Both families where the kernel has both. */
const families = hasIpv6 ? ['--ip-family=dual'] : [];

const policy = (spec: object): string =>
  JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'web' },
    spec: { podSelector: { matchLabels: { app: 'web' } }, ...spec },
  });

type Pods = Readonly<
  Record<string, { readonly name: string; readonly ip: string; readonly ip6: string }>
>;

const DNS_VIP = '10.96.0.10';
const DNS_SERVER = readFileSync(join(import.meta.dirname, 'testdata', 'dns-server.mjs'), 'utf8');

/** A name server in place of the cluster's, behind the address that pods are told: this program with `records`. */
const nameServer = (records: Readonly<Record<string, string>>): string => {
  const items = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'dns', namespace: 'kube-system' },
      data: { 'server.mjs': DNS_SERVER, 'records.json': JSON.stringify(records) },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
      spec: {
        tolerations: [{ operator: 'Exists' }],
        terminationGracePeriodSeconds: 1,
        volumes: [
          { name: 'program', configMap: { name: 'dns' } },
          { name: 'node', hostPath: { path: dirname(process.execPath) } },
        ],
        containers: [
          {
            name: 'dns',
            image: 'node',
            command: ['/node/node', '/program/server.mjs', '/program/records.json'],
            volumeMounts: [
              { name: 'program', mountPath: '/program' },
              { name: 'node', mountPath: '/node', readOnly: true },
            ],
          },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system' },
      spec: {
        clusterIP: DNS_VIP,
        selector: { 'k8s-app': 'kube-dns' },
        ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
      },
    },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
};

const SIX = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'six' },
  spec: {
    type: 'NodePort',
    selector: { app: 'web' },
    ipFamilies: ['IPv6'],
    ports: [{ port: 80, nodePort: 30086 }],
  },
});

/** A cluster of two nodes with a server and a shell on each, and a Service. */
class Scene {
  readonly cluster: Cluster;
  private readonly before = networkState();
  private left = '';
  private shells: Pods = {};
  servers: Pods = {};
  vip = '';

  constructor(...args: string[]) {
    this.cluster = new Cluster({ args: ['--nodes=2', ...args] });
  }

  async out(line: string): Promise<string> {
    return (await this.cluster.shell(line)).stdout.trim();
  }

  async start(): Promise<void> {
    await this.cluster.start();
    await this.cluster.kubectl('apply', '-f', '-', { stdin: MANIFESTS });
    for (const name of ['web', 'shell'])
      await this.cluster.kubectl('rollout', 'status', 'daemonset', name, '--timeout=30s');
    this.shells = await this.pods('shell');
    this.servers = await this.pods('web');
    this.vip = await this.out(`kubectl get service web -o jsonpath='{.spec.clusterIP}'`);
  }

  /** By node: the pod's name and address. */
  private async pods(app: string): Promise<Pods> {
    const rows = await this.out(
      `kubectl get pods -l app=${app} -o jsonpath='{range .items[*]}{.spec.nodeName} {.metadata.name} {.status.podIPs[*].ip}{"\\n"}{end}'`,
    );
    return Object.fromEntries(
      rows.split('\n').map((row) => {
        const [node = '', name = '', ip = '', ip6 = ''] = row.split(' ');
        return [node, { name, ip, ip6 }];
      }),
    );
  }

  /** Which pods answer requests that the shell of `node` sends one after another; empty: none within a second. */
  async ask(node: string, ...hosts: readonly (string | undefined)[]): Promise<string[]> {
    const script = hosts
      .map((host) => `curl -g -s -m 1 -D - -o /dev/null http://${host ?? ''}/; echo end`)
      .join(';');
    return (await this.inShell(node, script))
      .split('end\n')
      .slice(0, -1)
      .map((answer) => /X-Pod: (\S+)/.exec(answer)?.[1] ?? '');
  }

  async inShell(node: string, script: string): Promise<string> {
    const shell = this.shells[node]?.name ?? '';
    return (await this.cluster.kubectl('exec', shell, '--', 'sh', '-c', script)).stdout;
  }

  /** What answers over IPv6 to a shell: the pods of both nodes, then a Service and its node port. */
  async overIpv6(): Promise<{ pods: string[]; service: string[]; sliceType: string }> {
    const { 'k8s-01': first, 'k8s-02': second } = this.servers;
    const pods = await this.ask('k8s-01', `[${first?.ip6}]`, `[${second?.ip6}]`);
    await this.cluster.kubectl('apply', '-f', '-', { stdin: SIX });
    const vip = await this.out(`kubectl get service six -o jsonpath='{.spec.clusterIPs[*]}'`);
    const node = `fd00:198:18:${this.cluster.block.toString(16)}::2`;
    const service = await eventually(
      async () => {
        const found = await this.ask('k8s-02', `[${vip}]`, `[${node}]:30086`);
        if (found.length !== 2 || found.includes(''))
          throw new Error(`${vip} and node port over IPv6: ${found.join()}`);
        return found;
      },
      { timeoutMs: 30_000 },
    );
    const sliceType = await this.out(
      `kubectl get endpointslices -l kubernetes.io/service-name=six -o jsonpath='{.items[*].addressType}'`,
    );
    return { pods, service, sliceType };
  }

  async stop(): Promise<void> {
    const { block } = this.cluster;
    await this.cluster.destroy();
    this.left = namespacesOf(block);
  }

  /** After the end: this host's network but for other clusters, before the start and now. */
  traces(): { left: string; before: object; after: object } {
    return { left: this.left, before: this.before, after: networkState() };
  }
}

/** The tests of IPv6 in one network. */
function ipv6Tests(scene: Scene): void {
  if (!hasIpv6) {
    it('has no IPv6 to serve: the kernel of this machine has none', () => {
      expect(scene.servers['k8s-01']?.ip6).toBe('');
    });
    return;
  }
  it(
    'serves IPv6 as well: pods, Services and node ports',
    async () => {
      const { 'k8s-01': first, 'k8s-02': second } = scene.servers;
      expect([first?.ip6, second?.ip6]).toEqual([
        expect.stringMatching(/^fd00:10:244:1::/),
        expect.stringMatching(/^fd00:10:244:2::/),
      ]);
      const web = expect.stringMatching(/^web-/);
      expect(await scene.overIpv6()).toEqual({
        pods: [first?.name, second?.name],
        service: [web, web],
        sliceType: 'IPv6',
      });
    },
    TEST_MS,
  );
}

if (why !== undefined)
  describe('pod networks', () => {
    it(`are not tried here: ${why}`, () => {
      expect(why).not.toBe('');
    });
  });
else {
  describe('network netns', () => {
    const scene = new Scene('--network=netns', '--network-backend=vxlan', ...families);
    beforeAll(() => scene.start(), START_MS);
    afterAll(() => scene.cluster.destroy(), START_MS);

    it('gives each pod an address of its node, and says how', async () => {
      const { 'k8s-01': first, 'k8s-02': second } = scene.servers;
      expect(first?.ip).toMatch(/^10\.244\.1\./);
      expect(second?.ip).toMatch(/^10\.244\.2\./);
      expect(
        await scene.out(
          `kubectl get nodes -o jsonpath='{.items[*].metadata.annotations.orrery\\.dev/network}'`,
        ),
      ).toBe('netns netns');
    });

    it(
      'carries traffic between pods of a node and of two nodes',
      async () => {
        const { 'k8s-01': first, 'k8s-02': second } = scene.servers;
        for (const node of ['k8s-01', 'k8s-02'])
          expect(await scene.ask(node, first?.ip, second?.ip)).toEqual([first?.name, second?.name]);
      },
      TEST_MS,
    );

    it(
      'reaches Services from within a pod, node ports and host ports from this host',
      async () => {
        await eventually(async () => {
          expect(await scene.ask('k8s-02', scene.vip)).toEqual([expect.stringMatching(/^web-/)]);
        });
        const { block } = scene.cluster;
        const { 'k8s-02': second } = scene.servers;
        expect(await scene.out(`curl -s -m 2 -D - http://198.18.${block}.1:30080/`)).toContain(
          'X-Pod: web-',
        );
        expect(await scene.out(`curl -s -m 2 -D - http://198.18.${block}.2:8080/`)).toContain(
          `X-Pod: ${second?.name}`,
        );
      },
      TEST_MS,
    );

    ipv6Tests(scene);

    it(
      'resolves names from within a pod by the address of the cluster’s DNS',
      async () => {
        const records = {
          'web.default.svc.cluster.local': scene.vip,
          'kubernetes.default.svc.cluster.local': '10.96.0.1',
        };
        // A cluster that has a DNS of its own answers by itself.
        const own = 'kubectl -n kube-system get service kube-dns --ignore-not-found -o name';
        if ((await scene.out(own)) === '')
          await scene.cluster.kubectl('apply', '-f', '-', { stdin: nameServer(records) });
        expect(await scene.inShell('k8s-02', 'cat /etc/resolv.conf')).toBe(
          `nameserver ${DNS_VIP}\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n`,
        );
        for (const node of ['k8s-01', 'k8s-02'])
          await eventually(async () => {
            const found = await scene.inShell(
              node,
              'getent ahostsv4 web; getent ahostsv4 kubernetes.default; true',
            );
            expect(found).toMatch(new RegExp(`^${scene.vip} +STREAM web`, 'm'));
            expect(found).toMatch(/^10\.96\.0\.1 +STREAM kubernetes/m);
          });
        expect(await scene.ask('k8s-01', 'web', 'web.default')).toEqual([
          expect.stringMatching(/^web-/),
          expect.stringMatching(/^web-/),
        ]);
      },
      TEST_MS,
    );

    it(
      'keeps NetworkPolicies between pods and for Services',
      async () => {
        const { 'k8s-01': first, 'k8s-02': second } = scene.servers;
        const answers = (): Promise<string[]> =>
          scene.ask('k8s-01', first?.ip, second?.ip, scene.vip);
        await scene.cluster.kubectl('apply', '-f', '-', { stdin: policy({}) });
        await eventually(async () => {
          expect(await answers()).toEqual(['', '', '']);
        });
        const ingress = [
          { from: [{ podSelector: { matchLabels: { app: 'shell' } } }], ports: [{ port: 'http' }] },
        ];
        await scene.cluster.kubectl('apply', '-f', '-', { stdin: policy({ ingress }) });
        await eventually(async () => {
          expect(await answers()).toEqual([
            first?.name,
            second?.name,
            expect.stringMatching(/^web-/),
          ]);
        });
        await scene.cluster.kubectl('delete', 'networkpolicy', 'web');
      },
      TEST_MS,
    );

    it(
      'forwards ports to a server of the pod’s own localhost',
      async () => {
        const forward = scene.cluster.kubectlBackground('port-forward', 'daemonset/web', ':80');
        await forward.waitFor(/Forwarding from 127\.0\.0\.1:\d+/, 10_000);
        const port = /127\.0\.0\.1:(\d+)/.exec(forward.output)?.[1];
        expect(await scene.out(`curl -s -m 5 -D - http://127.0.0.1:${port}/`)).toContain(
          'X-Pod: web-',
        );
        await forward.stop('SIGTERM');
      },
      TEST_MS,
    );

    it(
      'leaves nothing of itself on this host',
      async () => {
        await scene.stop();
        const { left, before, after } = scene.traces();
        expect(left).toBe('');
        expect(after).toEqual(before);
      },
      TEST_MS,
    );
  });

  if (hasIpv6)
    describe('network netns, IPv6 alone', () => {
      const scene = new Scene('--network=netns', '--ip-family=ipv6');
      beforeAll(() => scene.start(), START_MS);
      afterAll(() => scene.cluster.destroy(), START_MS);

      it(
        'gives nodes, pods and Services addresses of IPv6 only',
        async () => {
          const addresses = await scene.out(
            `kubectl get nodes,pods,services -A -o jsonpath='{.items[*].status.addresses[?(@.type=="InternalIP")].address} {.items[*].status.podIPs[*].ip} {.items[*].spec.clusterIPs[*]}'`,
          );
          const words = addresses.split(' ').filter((word) => !['', 'None'].includes(word));
          expect(words.length).toBeGreaterThan(8);
          expect(words.filter((word) => !word.startsWith('fd00:'))).toEqual([]);
        },
        TEST_MS,
      );

      it('lets no device wait for duplicates of its addresses before it carries packets', async () => {
        for (const node of ['k8s-01', 'k8s-02'])
          expect(
            await scene.out(
              `ip netns exec orrery-${scene.cluster.block}-${node} sh -c 'cd /proc/sys/net/ipv6/conf; cat eth0/accept_dad cni0/accept_dad'`,
            ),
          ).toBe('0\n0');
      });

      it(
        'carries traffic to pods of both nodes and to Services, by address and by name',
        async () => {
          const { 'k8s-01': first, 'k8s-02': second } = scene.servers;
          expect(await scene.ask('k8s-01', `[${first?.ip}]`, `[${second?.ip}]`)).toEqual([
            first?.name,
            second?.name,
          ]);
          const web = expect.stringMatching(/^web-/);
          await eventually(
            async () => {
              expect(await scene.ask('k8s-02', `[${scene.vip}]`, 'web')).toEqual([web, web]);
            },
            { timeoutMs: 30_000 },
          );
        },
        TEST_MS,
      );

      it(
        'forwards ports into pods',
        async () => {
          const { name = '' } = scene.servers['k8s-02'] ?? {};
          const said = await scene.out(
            `kubectl port-forward pod/${name} 18098:80 >/dev/null & trap "kill $!" EXIT; for i in $(seq 100); do curl -s -m 5 -o /dev/null -w '%{http_code}' http://127.0.0.1:18098/ && break; sleep 0.2; done`,
          );
          expect(said.slice(-3)).toBe('200');
        },
        TEST_MS,
      );
    });

  describe('network routed', () => {
    const scene = new Scene('--network=routed', ...families);
    beforeAll(() => scene.start(), START_MS);
    afterAll(() => scene.cluster.destroy(), START_MS);

    it(
      'carries traffic to pods of both nodes and to Services',
      async () => {
        const { 'k8s-01': first, 'k8s-02': second } = scene.servers;
        expect(first?.ip).toMatch(/^10\.244\.1\./);
        expect(await scene.ask('k8s-01', first?.ip, second?.ip)).toEqual([
          first?.name,
          second?.name,
        ]);
        await eventually(async () => {
          expect(await scene.ask('k8s-02', scene.vip)).toEqual([expect.stringMatching(/^web-/)]);
        });
      },
      TEST_MS,
    );

    ipv6Tests(scene);

    it(
      'tells of a policy that it is in force for Services only',
      async () => {
        await scene.cluster.kubectl('apply', '-f', '-', { stdin: policy({}) });
        await eventually(async () => {
          expect(await scene.out('kubectl get events')).toMatch(
            /Warning +PartlyEnforced +networkpolicy\/web +In force for traffic to Services only/,
          );
        });
      },
      TEST_MS,
    );

    it(
      'leaves nothing of itself on this host',
      async () => {
        await scene.stop();
        const { left, before, after } = scene.traces();
        expect(left).toBe('');
        expect(after).toEqual(before);
      },
      TEST_MS,
    );
  });
}
