// What if: a fork of a running cluster, with controllers and hollow nodes of its own.
import { describe, expect, it } from '@jest/globals';
import { eventually, everyKubectl, orreryLine, useCluster } from './harness/index.js';

const cluster = useCluster();

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly nodeName: string };
  readonly status: {
    readonly phase: string;
    readonly podIP: string;
    readonly containerStatuses?: readonly { ready: boolean; restartCount: number }[];
  };
}

const FORK = 'kubernetes/whatif';

async function podsOf(context: string, namespace = 'default'): Promise<Pod[]> {
  const line = `kubectl --context ${context} -n ${namespace} get pods -o json`;
  const { stdout } = await cluster.shell(line);
  return (JSON.parse(stdout) as { items: Pod[] }).items;
}

const inFork = async (line: string): Promise<string> =>
  (await cluster.shell(`kubectl --context ${FORK} ${line}`)).stdout;

const orrery = async (...words: string[]): Promise<string> =>
  (await cluster.orrery('fork', ...words)).stdout;

/** What a pod is by, whoever runs it. */
const identity = ({ metadata, spec, status }: Pod): unknown => [
  metadata.name,
  metadata.uid,
  spec.nodeName,
  status.phase,
  status.podIP,
  status.containerStatuses?.map(({ ready, restartCount }) => [ready, restartCount]),
];

describe('a fork', () => {
  let live = '';
  let before: unknown[] = [];

  it('is made by one command, which writes a context for kubectl', async () => {
    await cluster.shell('kubectl create deployment web --image=nginx');
    await cluster.shell('kubectl rollout status deployment/web --timeout=60s');
    live = (await cluster.shell('kubectl config current-context')).stdout.trim();
    before = (await podsOf(live)).map(identity);
    const printed = await orrery('whatif');
    expect(printed).toContain(`kubectl --context ${FORK} get pods -A`);
    expect(await orrery('ls')).toMatch(/^NAME +BASE +CREATED +BY\nwhatif +\d+ .*kubernetes-admin/);
    expect((await podsOf(FORK)).map(identity)).toEqual(before);
  });

  it('answers every kubectl', async () => {
    for (const { version } of everyKubectl()) {
      const kubectl = `kubectl --context ${FORK}`;
      const listed = await cluster.shell(`${kubectl} get deployments,nodes`, { version });
      expect(listed.stdout).toContain('deployment.apps/web');
      const name = `k${version.replace(/\W/g, '-')}`;
      const made = await cluster.shell(`${kubectl} create configmap ${name}`, { version });
      expect(made.stdout).toContain('created');
    }
  });

  it('runs with controllers and hollow nodes, which adopt what runs', async () => {
    const running = cluster.shellBackground(orreryLine('fork', 'run', 'whatif'));
    await running.waitFor(/running on fork whatif/, 90_000);
    await cluster.kubectl('--context', FORK, 'scale', 'deployment/web', '--replicas=5');
    await eventually(
      async () => {
        const pods = await podsOf(FORK);
        expect(pods.filter(({ status }) => status.phase === 'Running')).toHaveLength(5);
      },
      { timeoutMs: 60_000 },
    );
    const inside = (await podsOf(FORK)).map(identity);
    expect(inside).toEqual(expect.arrayContaining(before));
    const system = await podsOf(FORK, 'kube-system');
    expect(system.map(({ metadata }) => metadata.name)).toContain('kube-apiserver-k8s-01');
    expect((await podsOf(live)).map(identity)).toEqual(before);
  });

  it('has leaders of its own, and leaves those of the cluster alone', async () => {
    const leases = '-n kube-system get leases kube-scheduler kube-controller-manager';
    const holders = `${leases} -o jsonpath='{.items[*].spec.holderIdentity}'`;
    const inside = (await inFork(holders)).split(' ');
    const outside = (await cluster.shell(`kubectl ${holders}`)).stdout.split(' ');
    expect(inside).toHaveLength(2);
    expect(inside.filter((holder) => outside.includes(holder))).toEqual([]);
  });

  it('has no processes: what would reach those of the cluster is refused', async () => {
    const [pod] = await podsOf(FORK);
    const name = pod?.metadata.name ?? '';
    for (const line of [`logs ${name}`, `exec ${name} -- true`]) {
      const command = `kubectl --context ${FORK} ${line}`;
      const { code, stderr } = await cluster.shell(command, { allowFailure: true });
      expect(code).toBe(1);
      expect(stderr).toContain('is not possible in a fork');
    }
  });

  it('lets a namespace go with what it holds, and a deployment with its pods', async () => {
    await inFork('create namespace gone');
    await inFork('-n gone create deployment x --image=nginx --replicas=2');
    await inFork('-n gone create job j --image=busybox -- true');
    await inFork('-n gone wait --for=condition=complete job/j --timeout=60s');
    await inFork('delete namespace gone --timeout=60s');
    expect(await inFork('get namespaces')).not.toContain('gone');
    await inFork('delete deployment web --cascade=foreground --timeout=60s');
    expect(await podsOf(FORK)).toEqual([]);
    expect((await podsOf(live)).map(identity)).toEqual(before);
  });

  it('moves pods off a drained node', async () => {
    await inFork('create deployment api --image=nginx --replicas=4');
    await inFork('rollout status deployment/api --timeout=60s');
    await inFork('drain k8s-02 --ignore-daemonsets --timeout=60s');
    await inFork('rollout status deployment/api --timeout=60s');
    const nodes = (await podsOf(FORK)).map(({ spec }) => spec.nodeName);
    expect(nodes).toHaveLength(4);
    expect(new Set(nodes)).toEqual(new Set(['k8s-03']));
    expect((await cluster.shell('kubectl get nodes')).stdout).not.toContain('SchedulingDisabled');
  });

  it('tells what has changed in it, and goes', async () => {
    const lines = (await orrery('diff', 'whatif')).split('\n');
    expect(lines[0]).toMatch(/^fork whatif against revision \d+, its base: \d+ objects differ/);
    expect(lines).toContain('- Deployment default/web');
    expect(lines).toContain('+ Deployment default/api');
    expect(lines).toContain('    spec.unschedulable: (none) → true');
    expect(await orrery('rm', 'whatif')).toContain('fork whatif removed');
    expect(await orrery('ls')).toContain('no forks');
    const contexts = await cluster.shell('kubectl config get-contexts -o name');
    expect(contexts.stdout.trim()).toBe(live);
    expect((await podsOf(live)).map(identity)).toEqual(before);
  });
});
