// The main job step by step, and the command lines that the first users already type.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually, kubectlIsAtLeast, useCluster } from './harness/index.js';

const TESTDATA = join(import.meta.dirname, 'testdata');
const cluster = useCluster();
const run = (line: string): Promise<string> => cluster.run(line, { cwd: TESTDATA });

interface Stored {
  readonly created: number;
  readonly object: { metadata: { name: string }; spec: Record<string, unknown> };
}

/** What etcd holds below a prefix, read from etcd itself. */
async function inEtcd(prefix: string): Promise<Stored[]> {
  const bytes = (text: string): string => Buffer.from(text).toString('base64');
  const response = await fetch(`http://127.${cluster.block}.0.201:2379/v3/kv/range`, {
    method: 'POST',
    body: JSON.stringify({ key: bytes(prefix), range_end: bytes(`${prefix}\u{7f}`) }),
  });
  const { kvs = [] } = (await response.json()) as {
    kvs?: { value: string; create_revision: string }[];
  };
  return kvs.map(({ value, create_revision }) => ({
    created: Number(create_revision),
    object: JSON.parse(Buffer.from(value, 'base64').toString()) as Stored['object'],
  }));
}

/** The names of the pods that the runtime of a node has, as its CRI says. */
async function podsInRuntime(node: string): Promise<string[]> {
  // Imported when needed: Jest cannot load this together with etcd3, which @orrery/testkit brings.
  const { connectCri } = await import('@orrery/cri');
  const cri = connectCri(`unix://${cluster.dir}/nodes/${node}/cri.sock`);
  try {
    const { items } = await cri.runtime.listPodSandbox({});
    return items.map((item) => item.metadata?.name ?? '');
  } finally {
    cri.close();
  }
}

describe('a Deployment becomes a running program', () => {
  let pod = '';
  let node = '';

  it('is accepted and saved in etcd', async () => {
    expect(await run('kubectl create deployment tomcat --image=tomcat:8')).toBe(
      'deployment.apps/tomcat created\n',
    );
    const [stored] = await inEtcd('/registry/deployments/default/tomcat');
    expect(stored?.object).toMatchObject({ kind: 'Deployment', spec: { replicas: 1 } });
  });

  it('gets a ReplicaSet, and that a Pod, each saved after its owner', async () => {
    await run('kubectl rollout status deployment/tomcat --timeout=30s');
    const [deployment] = await inEtcd('/registry/deployments/default/tomcat');
    const [replicaSet] = await inEtcd('/registry/replicasets/default/tomcat');
    const [stored] = await inEtcd('/registry/pods/default/tomcat');
    const created = [deployment, replicaSet, stored].map((one) => one?.created ?? 0);
    expect(created.every((revision) => revision > 0)).toBe(true);
    expect(created).toEqual(created.toSorted((a, b) => a - b));
    pod = stored?.object.metadata.name ?? '';
    expect(replicaSet?.object.metadata).toMatchObject({
      ownerReferences: [{ kind: 'Deployment', name: 'tomcat', controller: true }],
    });
    expect(stored?.object.metadata).toMatchObject({
      ownerReferences: [{ kind: 'ReplicaSet', name: replicaSet?.object.metadata.name }],
    });
  });

  it('is bound to a node that is not the control plane, and the binding is saved', async () => {
    const [stored] = await inEtcd(`/registry/pods/default/${pod}`);
    node = String(stored?.object.spec['nodeName']);
    expect(['k8s-02', 'k8s-03']).toContain(node);
  });

  it('is started through CRI by that node, and by no other', async () => {
    const nodes = ['k8s-01', 'k8s-02', 'k8s-03'];
    const having = await Promise.all(
      nodes.map(async (one) => ((await podsInRuntime(one)).includes(pod) ? [one] : [])),
    );
    expect(having.flat()).toEqual([node]);
  });

  it('is shown as Running with an address of its node and the node', async () => {
    const [header = '', row = ''] = (await run('kubectl get pods -o wide -l app=tomcat')).split(
      '\n',
    );
    expect(header.split(/ {2,}/)).toEqual([
      'NAME',
      'READY',
      'STATUS',
      'RESTARTS',
      'AGE',
      'IP',
      'NODE',
      'NOMINATED NODE',
      'READINESS GATES',
    ]);
    const cells = row.split(/ {2,}/);
    expect(cells.slice(0, 4)).toEqual([pod, '1/1', 'Running', '0']);
    const podNetwork = await run(`kubectl get node ${node} -o jsonpath={.spec.podCIDR}`);
    expect(cells[5]?.startsWith(podNetwork.replace('0/24', ''))).toBe(true);
    expect(cells[6]).toBe(node);
  });

  it('answers on the address of its pod', async () => {
    const ip = await run(`kubectl get pod ${pod} -o jsonpath={.status.podIP}`);
    const page = await (await fetch(`http://${ip}:8080/`)).text();
    expect(page).toContain('Apache Tomcat/8');
    expect(page).toContain(pod);
  });

  it('leaves a chain of events', async () => {
    const chain = async (): Promise<string[]> => {
      const lines = await run(
        `kubectl get events -o jsonpath='{range .items[*]}{.involvedObject.name} {.reason}{"\\n"}{end}'`,
      );
      return lines.split('\n').filter((line) => line.startsWith('tomcat'));
    };
    await eventually(async () => {
      const reasons = (await chain()).map((line) => line.split(' ')[1]);
      for (const reason of ['ScalingReplicaSet', 'SuccessfulCreate', 'Scheduled'])
        expect(reasons).toContain(reason);
      const ofPod = (await chain()).filter((line) => line.startsWith(`${pod} `));
      for (const reason of ['Scheduled', 'Pulling', 'Pulled', 'Created', 'Started'])
        expect(ofPod).toContain(`${pod} ${reason}`);
    });
    const described = await run(`kubectl describe pod ${pod}`);
    expect(described).toMatch(/Successfully assigned default\/\S+ to k8s-0[23]/);
  });
});

describe('the command lines of the first users', () => {
  const pods = async (): Promise<string[]> =>
    (await run('kubectl get pods -l run=nginx-dep -o name')).trim().split('\n');
  const rolledOut = (): Promise<string> =>
    run('kubectl rollout status deployment nginx-dep --timeout=30s');

  it('lists nodes with their roles', async () => {
    const table = await run('kubectl get nodes');
    expect(table).toMatch(/^NAME +STATUS +ROLES +AGE +VERSION\n/);
    expect(table).toMatch(/k8s-01 +Ready +control-plane,master +\d+s +v1\.36\.4\+orrery\n/);
    expect(table).toMatch(/k8s-02 +Ready +<none> /);
  });

  it('lists the pods of the control plane, of one and of all namespaces', async () => {
    const system = await run('kubectl get pods -n kube-system');
    for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'])
      expect(system).toMatch(new RegExp(`${name}-k8s-01 +1/1 +Running`));
    const all = await run('kubectl get pods --all-namespaces');
    expect(all).toMatch(/^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\n/);
    expect(all).toMatch(/default +tomcat-/);
    expect(await run('kubectl get pod -A -o name')).toBe(
      await run('kubectl get pods --all-namespaces -o name'),
    );
  });

  it('creates a deployment by its short name', async () => {
    expect(await run('kubectl create deploy tomcat8 --image=tomcat8')).toBe(
      'deployment.apps/tomcat8 created\n',
    );
  });

  it('answers the old form of kubectl run with its own message', async () => {
    const line = 'kubectl run nginx-old --image=nginx:1.7.9 --port=80 --replicas=2';
    const wanted = kubectlIsAtLeast(21) ? 'unknown flag: --replicas' : 'has been deprecated';
    for (const typed of [`${line} --dry-run`, line]) {
      const { stderr, code } = await cluster.shell(typed, { allowFailure: true });
      expect(stderr).toContain(wanted);
      expect(code).toBe(kubectlIsAtLeast(21) ? 1 : 0);
    }
    await run('kubectl delete pod nginx-old --now --ignore-not-found');
  });

  it('shows with --dry-run=client what it would create', async () => {
    const line = 'kubectl create deployment nginx-dep --image=nginx:1.7.9 --port=80 --replicas=2';
    expect(await run(`${line} --dry-run=client`)).toBe(
      'deployment.apps/nginx-dep created (dry run)\n',
    );
    expect(await run(`${line} --dry-run=server`)).toBe(
      'deployment.apps/nginx-dep created (server dry run)\n',
    );
    expect(await cluster.refusal('kubectl get deployment nginx-dep')).toBe(
      'Error from server (NotFound): deployments.apps "nginx-dep" not found\n',
    );
    await run('kubectl apply -f nginx-dep.yaml');
    await rolledOut();
    expect(await run('kubectl get deployment')).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nnginx-dep +2\/2 +2 +2 +\d+s\n/,
    );
  });

  it('opens a shell in a container', async () => {
    const [pod = ''] = await pods();
    const terminal = cluster.shellPty(`kubectl exec -it ${pod} -c nginx-dep -- /bin/bash`);
    await terminal.waitFor(/[#$] $/);
    terminal.write('hostname; echo $((20 + 22))\r');
    await terminal.waitFor(/\b42\b/);
    expect(terminal.output).toContain(pod.replace('pod/', ''));
    terminal.write('exit 5\r');
    expect(await terminal.exit()).toBe(5);
    const dropped = `kubectl exec ${pod.replace('pod/', '')} -c nginx-dep hostname`;
    const answer = await cluster.shell(dropped, { allowFailure: true });
    expect(answer.stderr).toContain('[POD] -- [COMMAND] instead');
    expect(answer.code).toBe(kubectlIsAtLeast(31) ? 1 : 0);
  });

  it('heals when a pod is deleted, gently or by force', async () => {
    const [first = '', second = ''] = await pods();
    expect(await run(`kubectl describe ${first}`)).toMatch(/Node: +k8s-0[23]\/127\./);
    expect(await run(`kubectl delete ${first}`)).toMatch(/^pod "nginx-dep-\S+" deleted/);
    const forced = await cluster.shell(`kubectl delete ${second} --grace-period=0 --force`);
    expect(forced.stderr.toLowerCase()).toContain('warning: immediate deletion does not wait');
    expect(forced.stdout).toMatch(/force deleted/);
    await eventually(async () => {
      const now = await run('kubectl get pods -l run=nginx-dep --no-headers');
      expect(now.match(/1\/1 +Running/g)).toHaveLength(2);
      expect(now).not.toContain(first.replace('pod/', ''));
      expect(now).not.toContain(second.replace('pod/', ''));
    });
  });

  it('exposes the deployment, and edits the service to a NodePort', async () => {
    expect(
      await run(
        'kubectl expose deployment nginx-dep --name=nginx-service --port=8080 --target-port=80',
      ),
    ).toBe('service/nginx-service exposed\n');
    expect(await run('kubectl get svc')).toMatch(
      /nginx-service +ClusterIP +127\.[\d.]+ +<none> +8080\/TCP +\d+s/,
    );
    await eventually(async () => {
      expect(await run('kubectl describe svc nginx-service')).toMatch(
        /Endpoints: +[\d.]+:80,[\d.]+:80\n/,
      );
    });
    const env = { EDITOR: `sed -i 's/type: ClusterIP/type: NodePort/'` };
    const edited = await cluster.run('kubectl edit svc nginx-service', { env });
    expect(edited).toBe('service/nginx-service edited\n');
    expect(await run('kubectl get svc nginx-service')).toMatch(
      /nginx-service +NodePort +127\.[\d.]+ +<none> +8080:3\d{4}\/TCP/,
    );
    const port = await run('kubectl get svc nginx-service -o jsonpath={.spec.ports[0].nodePort}');
    for (const i of [1, 2, 3])
      await eventually(async () => {
        const { headers } = await fetch(`http://127.${cluster.block}.0.${i}:${port}/`);
        expect(headers.get('server')).toBe('nginx/1.7.9');
      });
  });

  it('scales, sets an image and rolls back', async () => {
    expect(await run('kubectl scale --replicas=4 deployment nginx-dep')).toBe(
      'deployment.apps/nginx-dep scaled\n',
    );
    expect(await rolledOut()).toContain('deployment "nginx-dep" successfully rolled out');
    expect(await pods()).toHaveLength(4);
    expect(await run('kubectl set image deployment nginx-dep nginx-dep=nginx:1.9.1')).toBe(
      'deployment.apps/nginx-dep image updated\n',
    );
    await rolledOut();
    const images = 'kubectl get pods -l run=nginx-dep -o jsonpath={..containers[0].image}';
    await eventually(async () => {
      expect(new Set((await run(images)).split(' '))).toEqual(new Set(['nginx:1.9.1']));
    });
    expect(await run('kubectl rollout undo deployment nginx-dep')).toBe(
      'deployment.apps/nginx-dep rolled back\n',
    );
    await rolledOut();
    await eventually(async () => {
      expect(new Set((await run(images)).split(' '))).toEqual(new Set(['nginx:1.7.9']));
    });
  });

  it('follows the log of a pod from its last lines on', async () => {
    const [pod = ''] = await pods();
    const name = pod.replace('pod/', '');
    const ip = await run(`kubectl get ${pod} -o jsonpath={.status.podIP}`);
    const log = cluster.shellBackground(`kubectl logs -f --tail=100 ${name}`);
    await log.waitFor(/nginx\/1\.7\.9/);
    await fetch(`http://${ip}/seen-in-the-log`);
    await log.waitFor(/"GET \/seen-in-the-log HTTP\/1\.1" 404/);
    await log.stop();
  });

  it('labels a node as a worker and takes the label back', async () => {
    expect(await run("kubectl label node k8s-02 node-role.kubernetes.io/worker=''")).toBe(
      'node/k8s-02 labeled\n',
    );
    expect(await run('kubectl get node k8s-02 --no-headers')).toMatch(/Ready +worker/);
    expect(await run('kubectl label node k8s-02 node-role.kubernetes.io/worker-')).toMatch(
      /node\/k8s-02 (un)?labeled\n/,
    );
    expect(await run('kubectl get node k8s-02 --no-headers')).toMatch(/Ready +<none>/);
  });

  it('takes both taints from the control plane, and pods go there', async () => {
    const taints = 'kubectl get node k8s-01 -o jsonpath={.spec.taints[*].key}';
    expect((await run(taints)).split(' ').sort()).toEqual([
      'node-role.kubernetes.io/control-plane',
      'node-role.kubernetes.io/master',
    ]);
    for (const role of ['master', 'control-plane']) {
      // The other nodes do not have it, which kubectl counts as a failure, as it always did.
      const untaint = `kubectl taint nodes --all node-role.kubernetes.io/${role}-`;
      const { stdout } = await cluster.shell(untaint, { allowFailure: true });
      expect(stdout).toBe('node/k8s-01 untainted\n');
    }
    expect(await run(taints)).toBe('');
    await run('kubectl cordon k8s-02');
    await run('kubectl cordon k8s-03');
    await run('kubectl run visitor --image=nginx');
    await run('kubectl wait --for=condition=Ready pod/visitor --timeout=20s');
    expect(await run('kubectl get pod visitor -o jsonpath={.spec.nodeName}')).toBe('k8s-01');
    await run('kubectl uncordon k8s-02 k8s-03');
    await run('kubectl delete pod visitor --now');
  });

  it('applies kube-flannel.yml', async () => {
    expect((await run('kubectl apply -f kube-flannel.yml')).split('\n')).toEqual([
      'namespace/kube-flannel created',
      'clusterrole.rbac.authorization.k8s.io/flannel created',
      'clusterrolebinding.rbac.authorization.k8s.io/flannel created',
      'serviceaccount/flannel created',
      'configmap/kube-flannel-cfg created',
      'daemonset.apps/kube-flannel-ds created',
      '',
    ]);
    await run('kubectl -n kube-flannel rollout status ds/kube-flannel-ds --timeout=30s');
    expect(await run('kubectl -n kube-flannel get pods -o name')).toMatch(/^(pod\/\S+\n){3}$/);
    const again = await run('kubectl apply -f kube-flannel.yml');
    expect(again).not.toMatch(/configured|created/);
  });

  it('applies calico.yaml, and serves what its definitions declare', async () => {
    const applied = await run('kubectl apply -f calico.yaml');
    expect(applied.match(/^customresourcedefinition\S+ created$/gm)).toHaveLength(21);
    await run('kubectl wait --for=condition=Established crd --all --timeout=20s');
    const pool = (spec: string): string =>
      `kubectl apply --validate=false -f - <<< '{"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "default"}, "spec": ${spec}}'`;
    const refused = await cluster.refusal(pool('{"blockSize": 12, "ipipMode": "Sometimes"}'));
    expect(refused).toContain('spec.cidr: Required value');
    expect(refused).toContain('spec.blockSize: Invalid value');
    expect(refused).toContain(
      'spec.ipipMode: Unsupported value: "Sometimes": supported values: "Always", "CrossSubnet", "Never"',
    );
    expect(await run(pool('{"cidr": "10.0.0.0/16", "blockSize": 26}'))).toBe(
      'ippool.crd.projectcalico.org/default created\n',
    );
    expect(await run('kubectl get ippools')).toMatch(/^NAME +AGE\ndefault +\d+s\n$/);
    expect(await run('kubectl get tiers 2>&1')).toBe('No resources found\n');
    await run('kubectl -n kube-system rollout status deploy/calico-kube-controllers --timeout=30s');
  });

  it('changes the mode of kube-proxy, and its new process says so', async () => {
    const [first = ''] = (
      await run("kubectl get pod -A | grep kube-proxy | awk '{print $2}'")
    ).split('\n');
    expect(await run(`kubectl logs -n kube-system ${first}`)).toContain('"Using iptables Proxier"');
    const script = join(cluster.scratch, 'to-ipvs');
    const changes = [
      's/mode: ""/mode: "ipvs"/',
      's/scheduler: ""/scheduler: "rr"/',
      's/strictARP: false/strictARP: true/',
      's/syncPeriod: 30s/syncPeriod: 20s/',
      's/minSyncPeriod: 0s/minSyncPeriod: 1s/',
      's/excludeCIDRs: null/excludeCIDRs: ["10.1.0.0\\/16"]/',
      's/metricsBindAddress: ""/metricsBindAddress: "127.0.0.1:0"/',
    ];
    writeFileSync(
      script,
      `#!/bin/sh\nexec sed -i ${changes.map((change) => `-e '${change}'`).join(' ')} "$1"\n`,
      { mode: 0o755 },
    );
    const env = { EDITOR: script };
    expect(await cluster.run('kubectl edit cm kube-proxy -n kube-system', { env })).toBe(
      'configmap/kube-proxy edited\n',
    );
    const before = await run('kubectl -n kube-system get pods -l k8s-app=kube-proxy -o name');
    await run(`kubectl delete pod ${first} -n kube-system`);
    await eventually(
      async () => {
        const now = await run('kubectl -n kube-system get pods -l k8s-app=kube-proxy -o name');
        const [next = ''] = now.split('\n').filter((name) => !before.includes(name));
        const log = await run(`kubectl -n kube-system logs ${next}`);
        expect(log).toContain('"Using ipvs Proxier"');
      },
      { timeoutMs: 20_000 },
    );
  });

  it('merges kubeconfigs and completes commands', async () => {
    const other = join(cluster.scratch, 'other.conf');
    writeFileSync(
      other,
      'apiVersion: v1\nkind: Config\nclusters:\n- {name: other, cluster: {server: "https://127.0.0.9:6443"}}\n',
    );
    const env = { KUBECONFIG: `${cluster.kubeconfig}:${other}` };
    const merged = await cluster.run('kubectl config view --flatten', { env });
    expect(merged).toContain(`https://127.${cluster.block}.0.1:6443`);
    expect(merged).toContain('https://127.0.0.9:6443');
    expect(merged).toContain('client-certificate-data:');
    expect(await run('source <(kubectl completion bash) && complete -p kubectl')).toContain(
      '__start_kubectl kubectl',
    );
  });
});
