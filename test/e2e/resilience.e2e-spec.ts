import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock, reachablePort } from '@orrery/component';
import { eventually, processesOf, useCluster } from './harness/index.js';
import { ConfigMapWriter } from './traffic/config-map-writer.js';
import { ask } from './traffic/http-load.js';

/** Lease of 5 s, so that a takeover must happen within 7 s. */
const LEASE_MS = 5_000;
const TAKEOVER_MS = LEASE_MS + 2_000;
const ELECTED = ['kube-controller-manager', 'kube-scheduler'];
const SHORT_LEASES = ELECTED.flatMap((component) =>
  ['lease-duration=5s', 'renew-deadline=4s', 'retry-period=500ms'].map(
    (flag) => `--extra-arg=${component}.leader-elect-${flag}`,
  ),
);

interface Row {
  readonly pid: string;
  readonly restarts: number;
  readonly state: string;
}

interface LeaseSpec {
  readonly holderIdentity: string;
  readonly acquireTime: string;
  readonly renewTime: string;
}

describe('a cluster whose processes are killed', () => {
  const cluster = useCluster({ args: ['--isolate', '--standby', ...SHORT_LEASES] });
  let writer: ConfigMapWriter | undefined;
  let vip = '';
  let replicas = 2;

  const out = async (line: string): Promise<string> =>
    (await cluster.shell(line, { timeoutMs: 60_000 })).stdout.trim();

  const acknowledgedSoFar = (): number => writer?.acknowledged.length ?? 0;

  /** The table of `orrery ps` by name. */
  const processes = async (): Promise<Map<string, Row>> => {
    const [, ...rows] = (await cluster.orrery('ps')).stdout.trim().split('\n');
    return new Map(
      rows.map((row) => {
        const [name = '', pid = '', restarts, ...state] = row.split(/ +/);
        return [name, { pid, restarts: Number(restarts), state: state.join(' ') }];
      }),
    );
  };
  const allRun = async (): Promise<void> => {
    await eventually(
      async () => {
        const states = new Set([...(await processes()).values()].map(({ state }) => state));
        expect(states).toEqual(new Set(['running']));
      },
      { timeoutMs: 30_000 },
    );
  };
  /** The whole chain works: what is scaled becomes ready and is reached through the Service. */
  const converges = async (): Promise<void> => {
    replicas = 5 - replicas;
    await eventually(() => out(`kubectl scale deployment web --replicas=${replicas}`), {
      timeoutMs: 30_000,
    });
    await eventually(() => out('kubectl rollout status deployment web'), { timeoutMs: 30_000 });
    await eventually(
      async () => {
        const pods = new Set(await ask(vip, reachablePort(80), 12));
        expect(pods.size).toBe(replicas);
      },
      { timeoutMs: 20_000 },
    );
  };
  const lease = async (component: string): Promise<LeaseSpec> =>
    JSON.parse(
      await out(`kubectl -n kube-system get lease ${component} -o jsonpath='{.spec}'`),
    ) as LeaseSpec;
  /** Holds a process still until the other replica has the lead; how long that took. */
  const takeover = async (component: string, halted: string): Promise<number> => {
    const pid = Number((await processes()).get(halted)?.pid);
    const since = new SystemClock().now();
    process.kill(pid, 'SIGSTOP');
    const spec = await eventually(
      async () => {
        const now = await lease(component);
        expect(Date.parse(now.renewTime)).toBeGreaterThan(since + LEASE_MS / 2);
        return now;
      },
      { timeoutMs: 20_000 },
    );
    process.kill(pid, 'SIGCONT');
    return Date.parse(spec.acquireTime) - since;
  };
  const proxyPids = (): number[] =>
    processesOf(cluster.home)
      .filter((line) => line.includes('kube-proxy.js'))
      .map((line) => parseInt(line, 10));

  beforeAll(async () => {
    await out('kubectl create namespace kept');
    await out(`kubectl create deployment web --image=nginx --replicas=${replicas}`);
    await out('kubectl expose deployment web --port=80');
    await out('kubectl rollout status deployment web');
    vip = await out(`kubectl get service web -o jsonpath='{.spec.clusterIP}'`);
    writer = new ConfigMapWriter(cluster.kubeconfig, 'kept');
  }, 90_000);

  afterAll(async () => {
    await writer?.stop();
  });

  it.each([
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'dataplane',
    'container-runtime-k8s-02',
    'kubelet-k8s-02',
  ])(
    'goes on after SIGKILL of %s, and nothing else is restarted',
    async (name) => {
      const before = await processes();
      const acknowledged = acknowledgedSoFar();
      await cluster.orrery('kill', name);
      await converges();
      const others = (table: Map<string, Row>): string[] =>
        [...table].filter(([other]) => other !== name).map(([other, { pid }]) => `${other} ${pid}`);
      await eventually(async () => {
        const after = await processes();
        expect(after.get(name)).toMatchObject({ state: 'running' });
        expect(after.get(name)?.restarts).toBe((before.get(name)?.restarts ?? 0) + 1);
        expect(others(after)).toEqual(others(before));
      });
      await eventually(() => acknowledgedSoFar() > acknowledged, { timeoutMs: 10_000 });
    },
    120_000,
  );

  it('goes on after SIGKILL of a kube-proxy', async () => {
    const before = proxyPids();
    expect(before).toHaveLength(3);
    process.kill(before[0] ?? 0, 'SIGKILL');
    await eventually(
      async () => {
        const restarts = await out(
          `kubectl -n kube-system get pods -l k8s-app=kube-proxy -o jsonpath='{.items[*].status.containerStatuses[0].restartCount}'`,
        );
        expect(
          restarts
            .split(' ')
            .map(Number)
            .reduce((sum, n) => sum + n, 0),
        ).toBeGreaterThan(0);
        expect(proxyPids()).toHaveLength(3);
      },
      { timeoutMs: 30_000 },
    );
    await converges();
  }, 90_000);

  it.each(ELECTED)(
    'gives the lead of %s to the standby within the lease and 2 s',
    async (component) => {
      const standby = `${component}-2`;
      expect(await takeover(component, component)).toBeLessThan(TAKEOVER_MS);
      const { holderIdentity } = await lease(component);
      expect(await takeover(component, standby)).toBeLessThan(TAKEOVER_MS);
      expect((await lease(component)).holderIdentity).not.toBe(holderIdentity);
      await converges();
    },
    90_000,
  );

  it('converges again after SIGKILL of everything at once, and has lost nothing', async () => {
    const pids = [...(await processes()).values()].map(({ pid }) => Number(pid));
    for (const pid of [...pids, ...proxyPids()]) process.kill(pid, 'SIGKILL');
    await allRun();
    await eventually(() => out('kubectl wait --for=condition=Ready nodes --all'), {
      timeoutMs: 30_000,
    });
    await converges();
    await out('kubectl -n kube-system rollout status daemonset kube-proxy');
    await writer?.stop();
    expect(acknowledgedSoFar()).toBeGreaterThan(100);
    expect(writer?.refused).toBeGreaterThan(0);
    expect(await writer?.lost()).toEqual([]);
  }, 120_000);
});
