import { describe, expect, it } from '@jest/globals';
import { eventually, useCluster } from './harness/index.js';

const NODE_FLAGS = [
  '--isolate',
  '--extra-arg=kube-controller-manager.node-monitor-grace-period=4s',
  '--extra-arg=kube-controller-manager.node-monitor-period=500ms',
  '--extra-arg=kubelet.node-lease-duration-seconds=4',
];
const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

const container = (name: string, rest: string): string =>
  `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"${name}"},"spec":{"containers":[${rest}]}}`;

const SHARE = `
apiVersion: v1
kind: Pod
metadata: {name: share}
spec:
  volumes: [{name: site, emptyDir: {}}]
  containers:
  - name: web
    image: nginx
    volumeMounts: [{name: site, mountPath: /usr/share/nginx/html}]
  - name: author
    image: busybox
    command: [sh, -c, "echo from-next-door > /data/index.html; sleep 3600"]
    volumeMounts: [{name: site, mountPath: /data}]
`;

const onControlPlane = (name: string, tolerations: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  nodeSelector: {${CONTROL_PLANE}: ""}
  tolerations: ${tolerations}
  containers: [{name: web, image: nginx}]
`;

const MOVER = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: mover}
spec:
  replicas: 4
  selector: {matchLabels: {app: mover}}
  template:
    metadata: {labels: {app: mover}}
    spec:
      tolerations:
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 2}
      containers: [{name: web, image: nginx}]
`;

describe('self-healing', () => {
  const cluster = useCluster({ args: NODE_FLAGS });
  const out = async (line: string): Promise<string> =>
    (await cluster.shell(line, { timeoutMs: 40_000 })).stdout.trim();
  const row = (name: string): Promise<string> => out(`kubectl get pod ${name} --no-headers`);
  const shows = async (name: string, status: RegExp, timeoutMs = 15_000): Promise<void> => {
    await eventually(async () => expect(await row(name)).toMatch(status), { timeoutMs });
  };
  const apply = (manifest: string): Promise<unknown> =>
    cluster.shell('kubectl apply -f -', { stdin: manifest });

  it('shows the control plane as mirror pods', async () => {
    await eventually(
      async () => {
        const names = await out(
          `kubectl -n kube-system get pods -l tier=control-plane -o custom-columns=NAME:.metadata.name,STATUS:.status.phase --no-headers`,
        );
        expect(names.split('\n').map((line) => line.split(/ +/))).toEqual(
          ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name) => [
            `${name}-k8s-01`,
            'Running',
          ]),
        );
      },
      { timeoutMs: 15_000 },
    );
    expect(
      await out(
        `kubectl -n kube-system get pod etcd-k8s-01 -o jsonpath='{.metadata.annotations.kubernetes\\.io/config\\.source} {.metadata.ownerReferences[0].kind}'`,
      ),
    ).toBe('file Node');
  });

  it('restarts a container that exits, with back-off', async () => {
    await apply(
      container('crash', '{"name":"c","image":"busybox","command":["sh","-c","exit 3"]}'),
    );
    await shows('crash', /0\/1 +CrashLoopBackOff +[1-9]/);
    expect(
      await out(
        `kubectl get pod crash -o jsonpath='{.status.containerStatuses[0].lastState.terminated.exitCode}'`,
      ),
    ).toBe('3');
  });

  it('shows an image that cannot be had', async () => {
    await apply(container('unknown', '{"name":"c","image":"example.com/doesnotexist:1"}'));
    await shows('unknown', /0\/1 +ErrImagePull/);
    await shows('unknown', /0\/1 +ImagePullBackOff/);
  });

  it('replaces a deleted pod', async () => {
    await out('kubectl create deployment web --image=nginx');
    await out('kubectl rollout status deployment web');
    const before = await out('kubectl get pods -l app=web -o name');
    await out(`kubectl delete ${before}`);
    await out('kubectl rollout status deployment web');
    const after = await out('kubectl get pods -l app=web -o name');
    expect(after).toMatch(/^pod\/web-\S+$/);
    expect(after).not.toBe(before);
  });

  it('lets the containers of a pod share localhost and a volume', async () => {
    await apply(SHARE);
    await out('kubectl wait --for=condition=Ready pod/share');
    for (const command of [
      'wget -qO- http://localhost:80/',
      `bash -c 'exec 3<>/dev/tcp/localhost/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'`,
    ])
      expect(await out(`kubectl exec share -c author -- ${command}`)).toMatch(/from-next-door$/);
  });

  it('lets only one container of a pod have a port; the other says why it ends', async () => {
    await apply(container('rivals', '{"name":"a","image":"nginx"},{"name":"b","image":"nginx"}'));
    await shows('rivals', /1\/2 +(CrashLoopBackOff|Error) /);
    const logs = await out('kubectl logs rivals --all-containers');
    expect(logs).toMatch(/bind\(\) to 0\.0\.0\.0:80 failed \(98: Address already in use\)/);
  });

  it('keeps pods off the control plane unless they tolerate its taints', async () => {
    await apply(onControlPlane('refused', '[]'));
    await apply(onControlPlane('tolerant', '[{operator: Exists}]'));
    await out('kubectl wait --for=condition=Ready pod/tolerant');
    await eventually(
      async () =>
        expect(await out('kubectl describe pod refused')).toMatch(/FailedScheduling.*taint/),
      { timeoutMs: 10_000 },
    );
    expect(await row('refused')).toMatch(/Pending/);
    for (const taint of [CONTROL_PLANE, 'node-role.kubernetes.io/master'])
      await cluster.shell(`kubectl taint nodes --all ${taint}-`, { allowFailure: true });
    await out('kubectl wait --for=condition=Ready pod/refused');
    expect(await out(`kubectl get pod refused -o jsonpath='{.spec.nodeName}'`)).toBe('k8s-01');
    await out(`kubectl taint nodes k8s-01 ${CONTROL_PLANE}=:NoSchedule`);
  });

  it('moves the pods of a node whose kubelet died, and takes the node back', async () => {
    const columns =
      'NODE:.spec.nodeName,READY:.status.conditions[?(@.type=="Ready")].status,GONE:.metadata.deletionTimestamp';
    const placed = async (): Promise<string[]> => {
      const words = ['get', 'pods', '-l', 'app=mover', '--no-headers', '-o'];
      const { stdout } = await cluster.kubectl(...words, `custom-columns=${columns}`);
      return stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/ +/))
        .filter(([, , gone]) => gone === '<none>')
        .map(([node, ready]) => `${node} ${ready}`);
    };
    await apply(MOVER);
    await out('kubectl rollout status deployment mover');
    expect(new Set(await placed())).toEqual(new Set(['k8s-02 True', 'k8s-03 True']));

    await cluster.orrery('stop', 'kubelet-k8s-03');
    await out('kubectl wait --for=condition=Ready=Unknown node/k8s-03');
    expect(await out('kubectl get node k8s-03 --no-headers')).toMatch(/k8s-03 +NotReady/);
    await eventually(
      async () => expect(await placed()).toEqual(Array.from({ length: 4 }, () => 'k8s-02 True')),
      { timeoutMs: 30_000 },
    );
    expect(await out('kubectl get pods -l app=mover --no-headers')).toContain('Terminating');

    await cluster.orrery('start', 'kubelet-k8s-03');
    await out('kubectl wait --for=condition=Ready node/k8s-03');
    await eventually(
      async () =>
        expect(await out('kubectl get pods -l app=mover --no-headers')).not.toContain(
          'Terminating',
        ),
      { timeoutMs: 30_000 },
    );
    await out(`kubectl -n kube-system rollout status daemonset kube-proxy`);
  }, 120_000);
});
