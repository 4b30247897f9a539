import { describe, expect, it } from '@jest/globals';
import { reachablePort } from '@orrery/component';
import { eventually, useCluster } from './harness/index.js';
import { HttpLoad, ask } from './traffic/http-load.js';
import { sendDatagram } from './traffic/udp.js';

const REQUESTS = 300;

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.19
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: sick, labels: {app: web}}
spec:
  containers:
  - name: nginx
    image: nginx:1.19
    readinessProbe: {exec: {command: ["false"]}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

const CHAT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  replicas: 2
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec:
      containers:
      - name: chat
        image: example.com/chat:1
        ports: [{containerPort: 5300, protocol: UDP}, {containerPort: 5300, protocol: TCP}]
---
apiVersion: v1
kind: Service
metadata: {name: chat}
spec:
  type: NodePort
  selector: {app: chat}
  ports:
  - {name: datagrams, port: 5300, protocol: UDP}
  - {name: streams, port: 5300, protocol: TCP}
`;

describe('a Service, from the host', () => {
  const cluster = useCluster();
  const out = async (line: string): Promise<string> => (await cluster.shell(line)).stdout.trim();
  const jsonpath = (object: string, path: string): Promise<string> =>
    out(`kubectl get ${object} -o jsonpath='{${path}}'`);
  const nodes = (): string[] => [1, 2, 3].map((i) => `127.${cluster.block}.0.${i}`);
  const rolledOut = (deployment: string): Promise<string> =>
    out(`kubectl rollout status deployment ${deployment}`);
  const web = (): Promise<string> => jsonpath('service web', '.spec.clusterIP');

  it('reaches every ready replica and no other', async () => {
    await cluster.shell('kubectl apply -f -', { stdin: WEB });
    await rolledOut('web');
    await cluster.shell('kubectl wait --for=jsonpath={.status.phase}=Running pod/sick');
    const ready = await out('kubectl get pods -l app=web -o name | grep -v sick');
    const answered = await ask(await web(), reachablePort(80), REQUESTS);
    expect(new Set(answered.map((pod) => `pod/${pod}`))).toEqual(new Set(ready.split('\n')));
    expect(await jsonpath('pod sick', '.status.containerStatuses[0].state.running')).not.toBe('');
  });

  it('loses no request while replicas come and go', async () => {
    const load = new HttpLoad(await web(), reachablePort(80));
    const answered = (pods: number): Promise<void> =>
      eventually(() => expect(load.byPod.size).toBeGreaterThanOrEqual(pods), { timeoutMs: 20_000 });
    await cluster.shell('kubectl scale deployment web --replicas=6');
    await answered(6);
    await cluster.shell('kubectl scale deployment web --replicas=2');
    const replicas = 'kubectl get pods -l app=web -o name | grep -v sick';
    await eventually(async () => expect((await out(replicas)).split('\n')).toHaveLength(2), {
      timeoutMs: 20_000,
    });
    await out(`kubectl delete pod $(${replicas} | head -1 | cut -d/ -f2)`);
    // The six, and the one that takes the deleted pod's place.
    await answered(7);
    expect(await load.stop()).toEqual([]);
    expect(load.byPod.has('sick')).toBe(false);
  }, 60_000);

  it('answers on every node once it is edited to NodePort', async () => {
    const { stdout } = await cluster.shell('kubectl edit service web', {
      env: { KUBE_EDITOR: "sed -i 's/type: ClusterIP/type: NodePort/'" },
    });
    expect(stdout).toBe('service/web edited\n');
    const port = Number(await jsonpath('service web', '.spec.ports[0].nodePort'));
    for (const node of nodes()) expect(await ask(node, port, 4)).toHaveLength(4);
    expect(await ask(await web(), reachablePort(80), 4)).toHaveLength(4);
  });

  it('carries datagrams and streams of one port to the same pods', async () => {
    await cluster.shell('kubectl apply -f -', { stdin: CHAT });
    await rolledOut('chat');
    const pods = new Set((await out('kubectl get pods -l app=chat -o name')).split('\n'));
    const address = await jsonpath('service chat', '.spec.clusterIP');
    const byUdp: string[] = [];
    for (let i = 0; i < 40; i++) byUdp.push(await sendDatagram(address, 5300, 'hello'));
    const seen = byUdp.map((answer) => answer.replace(/(.*): hello$/, 'pod/$1'));
    expect(new Set(seen)).toEqual(pods);
    const byTcp = await ask(address, 5300, 40);
    expect(new Set(byTcp.map((pod) => `pod/${pod}`))).toEqual(pods);
    const nodePort = Number(await jsonpath('service chat', '.spec.ports[0].nodePort'));
    for (const node of nodes())
      expect(await sendDatagram(node, nodePort, 'over there')).toMatch(/^chat-.*: over there$/);
  });
});
