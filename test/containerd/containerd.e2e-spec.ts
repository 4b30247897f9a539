// Our kubelet on a real containerd and runc: it speaks CRI and nothing else, so what runs below it may be swapped.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useCluster } from '../e2e/harness/index.js';
import type { BackgroundCommand } from '../e2e/harness/index.js';
import { Containerd, whyNot } from './containerd.js';
import { startNode } from './containerd-node.js';

const POD = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: v1
kind: Pod
metadata: {name: real}
spec:
  nodeName: containerd-1
  terminationGracePeriodSeconds: 2
  tolerations: [{operator: Exists}]
  initContainers:
  - {name: first, image: "orrery.test/tools:1", imagePullPolicy: Never, command: [sh, -c, "echo ready > /shared/state"], volumeMounts: [{name: shared, mountPath: /shared}]}
  containers:
  - name: main
    image: orrery.test/tools:1
    imagePullPolicy: Never
    command: [sh, -c, "trap 'exit 0' TERM; echo hello from $NODE; while :; do sleep 0.2; done"]
    env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
    volumeMounts: [{name: shared, mountPath: /shared}, {name: settings, mountPath: /settings}]
    readinessProbe: {exec: {command: [cat, /shared/state]}, periodSeconds: 1}
    resources: {limits: {memory: 64Mi}}
  volumes: [{name: shared, emptyDir: {}}, {name: settings, configMap: {name: settings}}]
`;

const COMMAND = 'npm run test:containerd';
const why =
  process.env['ORRERY_CONTAINERD'] === '1' ? whyNot() : `it has a command of its own, ${COMMAND}`;

if (why === '')
  describe('kubelet on containerd', () => {
    let containerd: Containerd | undefined;
    let kubelet: BackgroundCommand | undefined;
    let launch: () => BackgroundCommand;

    // Before the cluster's own, which looks for processes that are left.
    afterAll(async () => {
      await kubelet?.stop();
      await containerd?.stop();
    }, 300_000);

    const cluster = useCluster({ args: ['--nodes=1'] });

    beforeAll(async () => {
      const ip = `127.${cluster.block}.0.90`;
      const folder = join(cluster.home, 'containerd');
      containerd = new Containerd(folder, ip);
      await containerd.start();
      const { socket } = containerd;
      launch = await startNode(cluster, {
        name: 'containerd-1',
        ip,
        socket,
        folder: join(cluster.home, 'node'),
      });
      kubelet = launch();
      writeFileSync(join(cluster.scratch, 'pod.yaml'), POD);
    }, 300_000);

    it('registers a node that names its runtime', async () => {
      await cluster.run('kubectl wait --for=create node/containerd-1 --timeout=120s');
      await cluster.run('kubectl wait --for=condition=Ready node/containerd-1 --timeout=120s');
      expect(await cluster.run('kubectl get node containerd-1 -o wide')).toMatch(
        /containerd:\/\/\S+/,
      );
    });

    it('runs a pod with init container, volumes, variables and an exec probe', async () => {
      await cluster.run(`kubectl apply -f ${join(cluster.scratch, 'pod.yaml')}`);
      await cluster.run('kubectl wait --for=condition=Ready pod/real --timeout=120s');
      expect(await cluster.run('kubectl get pod real -o wide')).toMatch(
        /real +1\/1 +Running +0 .* 10\.99\.0\.\d+ +containerd-1/,
      );
      expect(await cluster.run('kubectl logs real')).toBe('hello from containerd-1\n');
    });

    it('executes commands, with input, output and exit code', async () => {
      expect(await cluster.run('kubectl exec real -- cat /shared/state /settings/colour')).toBe(
        'ready\nblue',
      );
      expect(await cluster.run('kubectl exec -i real -- cat', { stdin: 'in and out\n' })).toBe(
        'in and out\n',
      );
      expect(await cluster.refusal("kubectl exec real -- sh -c 'exit 7'")).toContain('exit code 7');
    });

    it('tells what the pod uses', async () => {
      const summary = JSON.parse(
        await cluster.run('kubectl get --raw /api/v1/nodes/containerd-1/proxy/stats/summary'),
      ) as { pods: { podRef: { name: string }; memory: { workingSetBytes: number } }[] };
      expect(
        summary.pods.find(({ podRef }) => podRef.name === 'real')?.memory.workingSetBytes,
      ).toBeGreaterThan(0);
    });

    it('leaves the container alone when it is restarted itself', async () => {
      const identity =
        'kubectl get pod real -o jsonpath={.status.containerStatuses[0].containerID}/{.status.containerStatuses[0].restartCount}';
      const before = await cluster.run(identity);
      await kubelet?.stop();
      kubelet = launch();
      await eventually(
        async () => {
          expect(await cluster.run('kubectl exec real -- echo back')).toBe('back\n');
        },
        { timeoutMs: 120_000 },
      );
      expect(await cluster.run(identity)).toBe(before);
    });

    it('starts a container anew whose process was killed', async () => {
      const id = await cluster.run(
        'kubectl get pod real -o jsonpath={.status.containerStatuses[0].containerID}',
      );
      process.kill(containerd?.pidOf(id.replace('containerd://', '')) ?? 0, 'SIGKILL');
      await eventually(
        async () => {
          expect(await cluster.run('kubectl get pod real')).toMatch(/real +1\/1 +Running +1 /);
        },
        { timeoutMs: 120_000 },
      );
      expect(await cluster.run('kubectl logs real --previous')).toBe('hello from containerd-1\n');
      const last = 'kubectl get pod real -o jsonpath={.status.containerStatuses[0].lastState}';
      expect(JSON.parse(await cluster.run(last))).toMatchObject({
        terminated: { exitCode: 137, reason: 'Error' },
      });
    });

    it('ends the pod and leaves nothing of it', async () => {
      await cluster.run('kubectl delete pod real --timeout=120s');
      await eventually(
        () => {
          expect(containerd?.containersOf('real')).toBe('');
        },
        { timeoutMs: 120_000 },
      );
    });
  });
else
  describe('kubelet on containerd', () => {
    it(`is not tried here: ${why}`, () => {
      expect(why).not.toBe('');
    });
  });
