// kubectl get in all its forms, describe of each kind, and what a cluster tells of itself.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, kubectlIsAtLeast, useCluster } from './harness/index.js';

const cluster = useCluster();
const run = (line: string): Promise<string> => cluster.run(line);
const TESTDATA = join(import.meta.dirname, 'testdata');

beforeAll(async () => {
  await run(`kubectl apply -f ${TESTDATA}/shop.yaml -f ${TESTDATA}/kinds.yaml`);
  await run('kubectl rollout status deployment/shop --timeout=60s');
  await run('kubectl rollout status daemonset/agent --timeout=60s');
}, 150_000);

describe('kubectl get', () => {
  it.each([
    {
      what: 'deployments',
      line: 'kubectl get deploy shop',
      want: /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nshop +2\/2 +2 +2 +\S+\n$/,
    },
    {
      what: 'wide deployments',
      line: 'kubectl get deploy shop -o wide --no-headers',
      want: /^shop +2\/2 +2 +2 +\S+ +web +nginx:1\.9\.1 +app=shop\n$/,
    },
    {
      what: 'replica sets',
      line: 'kubectl get rs -l app=shop',
      want: /^NAME +DESIRED +CURRENT +READY +AGE\nshop-[a-z0-9]+ +2 +2 +2 /,
    },
    {
      what: 'daemon sets',
      line: 'kubectl get ds agent',
      want: /^NAME +DESIRED +CURRENT +READY +UP-TO-DATE +AVAILABLE +NODE SELECTOR +AGE\nagent +2 +2 +2 +2 +2 +<none> /,
    },
    {
      what: 'replication controllers',
      line: 'kubectl get rc old -o wide',
      want: /CONTAINERS +IMAGES +SELECTOR\nold +1 +1 +\d +\S+ +web +httpd +app=old\n$/,
    },
    {
      what: 'services',
      line: 'kubectl get svc shop -o wide',
      want: /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\nshop +ClusterIP +127\.\S+ +<none> +80\/TCP +\S+ +app=shop\n$/,
    },
    {
      what: 'endpoints',
      line: 'kubectl get endpoints shop',
      want: /^NAME +ENDPOINTS +AGE\nshop +127\.[\d.]+:80,127\.[\d.]+:80 /,
    },
    {
      what: 'endpoint slices',
      line: 'kubectl get endpointslices -l kubernetes.io/service-name=shop',
      want: /^NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE\nshop-\w+ +IPv4 +80 +127\.[\d.]+,127\.[\d.]+ /,
    },
    {
      what: 'config maps',
      line: 'kubectl get cm settings',
      want: /^NAME +DATA +AGE\nsettings +2 /,
    },
    {
      what: 'secrets',
      line: 'kubectl get secret access',
      want: /^NAME +TYPE +DATA +AGE\naccess +Opaque +1 /,
    },
    { what: 'service accounts', line: 'kubectl get sa robot', want: /^NAME +SECRETS +AGE\nrobot/ },
    {
      what: 'namespaces',
      line: 'kubectl get ns default',
      want: /^NAME +STATUS +AGE\ndefault +Active/,
    },
    {
      what: 'wide nodes',
      line: 'kubectl get nodes -o wide',
      want: /^NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME\nk8s-01 +Ready .* 127\.\d+\.0\.1 +<none> .* orrery:\/\//,
    },
    {
      what: 'leases',
      line: 'kubectl get lease -n kube-system kube-scheduler',
      want: /^NAME +HOLDER +AGE\nkube-scheduler +\S+ /,
    },
    { what: 'claims', line: 'kubectl get pvc data', want: /^NAME +STATUS .*\ndata +Pending/ },
    { what: 'ingresses', line: 'kubectl get ing', want: /\nfront +<none> +shop\.example +80 / },
    { what: 'budgets', line: 'kubectl get pdb', want: /\ncareful +1 +N\/A +\d / },
    { what: 'network policies', line: 'kubectl get netpol', want: /\nclosed +<none> / },
    {
      what: 'role bindings',
      line: 'kubectl get rolebinding',
      want: /\nrobot-reads +Role\/reader /,
    },
    { what: 'priority classes', line: 'kubectl get pc high', want: /\nhigh +1000 +false / },
    {
      what: 'storage classes',
      line: 'kubectl get sc',
      want: /\nlocal +example\.com\/local +Delete /,
    },
    {
      what: 'everything',
      line: 'kubectl get all',
      want: /pod\/shop-[^]*service\/kubernetes[^]*daemonset\.apps\/agent[^]*deployment\.apps\/shop[^]*replicaset\.apps\/shop-/,
    },
    {
      what: 'several kinds at once',
      line: 'kubectl get cm/settings secret/access',
      want: /configmap\/settings +2 [^]*secret\/access +Opaque/,
    },
    {
      what: 'columns of labels',
      line: 'kubectl get deploy shop -L part-of --show-labels',
      want: /AGE +PART-OF +LABELS\nshop .* shop +part-of=shop\n$/,
    },
  ])('shows $what', async ({ line, want }) => {
    await eventually(async () => {
      expect(await run(line)).toMatch(want);
    });
  });

  it('prints names, JSON, YAML, JSON paths, columns of the user and go templates', async () => {
    expect(await run('kubectl get cm settings -o name')).toBe('configmap/settings\n');
    expect(JSON.parse(await run('kubectl get cm settings -o json'))).toMatchObject({
      kind: 'ConfigMap',
      data: { colour: 'blue' },
    });
    expect(await run('kubectl get cm settings -o yaml')).toMatch(
      /^apiVersion: v1\ndata:\n {2}app\.properties: \|\n {4}currency=EUR\n {2}colour: blue\nkind: ConfigMap\n/,
    );
    expect(
      await run(
        `kubectl get pods -l app=shop -o jsonpath='{range .items[*]}{.status.phase}{"\\n"}{end}'`,
      ),
    ).toBe('Running\nRunning\n');
    expect(
      await run('kubectl get deploy -o custom-columns=WHO:.metadata.name,N:.spec.replicas'),
    ).toBe('WHO    N\nshop   2\n');
    expect(
      await run(`kubectl get deploy shop -o go-template='{{.metadata.name}} {{.spec.replicas}}'`),
    ).toBe('shop 2');
  });

  it('selects by labels and by fields', async () => {
    expect(await run('kubectl get cm,secret,svc,deploy -l part-of=shop -o name')).toBe(
      'configmap/settings\nsecret/access\nservice/shop\ndeployment.apps/shop\n',
    );
    expect(await run("kubectl get deploy -l 'part-of in (shop,bank),!gone' -o name")).toBe(
      'deployment.apps/shop\n',
    );
    expect(await run("kubectl get deploy -l 'part-of!=shop' -o name")).toBe('');
    expect(await run('kubectl get pods -A --field-selector spec.nodeName=k8s-01 -o name')).toMatch(
      /pod\/kube-apiserver-k8s-01/,
    );
    expect(
      await run('kubectl get pods -l app=shop --field-selector=status.phase!=Running -o name'),
    ).toBe('');
    expect(await cluster.refusal('kubectl get pods --field-selector=spec.colour=red')).toContain(
      'field label not supported: spec.colour',
    );
    expect(await cluster.refusal("kubectl get pods -l 'a in b'")).toMatch(/unable to parse|found/);
  });

  it('sorts, and says when there is nothing', async () => {
    const sorted = await run('kubectl get pods -A --sort-by=.metadata.name -o name');
    const names = sorted.trim().split('\n');
    expect(names).toEqual(names.toSorted());
    expect((await cluster.shell('kubectl get pods -n nowhere')).stderr).toBe(
      'No resources found in nowhere namespace.\n',
    );
    expect(await cluster.refusal('kubectl get pod nobody')).toBe(
      'Error from server (NotFound): pods "nobody" not found\n',
    );
    expect(await cluster.refusal('kubectl get unicorns')).toBe(
      'error: the server doesn\'t have a resource type "unicorns"\n',
    );
  });

  it('watches: rows come as things change', async () => {
    const watch = cluster.shellBackground('kubectl get pods -l app=watched -w');
    const names = cluster.shellBackground('kubectl get cm --watch-only --output-watch-events');
    await run('kubectl run watched --image=nginx --labels=app=watched');
    await watch.waitFor(/watched +1\/1 +Running/);
    await run('kubectl delete pod watched');
    await watch.waitFor(/watched +1\/1 +Terminating/);
    // The pod may have its node by the time kubectl has listed what is there.
    expect(watch.output).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE\nwatched +0\/1 +(Pending|ContainerCreating)/,
    );
    await run('kubectl create cm seen --from-literal=a=1');
    await names.waitFor(/ADDED +seen/);
    await run('kubectl delete cm seen');
    await names.waitFor(/DELETED +seen/);
    await watch.stop();
    await names.stop();
  });

  it('shows events, also of one object and sorted', async () => {
    expect(await run('kubectl get events')).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/);
    const ofDeployment = await run(
      'kubectl get events --field-selector involvedObject.name=shop,reason=ScalingReplicaSet',
    );
    expect(ofDeployment).toMatch(
      /Normal +ScalingReplicaSet +deployment\/shop +Scaled up replica set/,
    );
    expect(await run('kubectl get events --sort-by=.lastTimestamp -o name')).toMatch(
      /^event\/\S+\n/,
    );
  });
});

describe('kubectl describe', () => {
  it.each([
    {
      kind: 'pod',
      line: 'pod -l app=shop',
      want: ['Controlled By:  ReplicaSet/shop-', 'COLOUR:  blue'],
    },
    {
      kind: 'node',
      line: 'node k8s-01',
      want: ['KubeletReady', 'kube-apiserver-k8s-01', 'PodCIDR:'],
    },
    { kind: 'service', line: 'svc shop', want: ['Type: ', 'TargetPort:', ':80,'] },
    { kind: 'endpoints', line: 'endpoints shop', want: ['Subsets:', 'NotReadyAddresses:  <none>'] },
    { kind: 'endpoint slice', line: 'endpointslice -l app=shop', want: [] },
    { kind: 'namespace', line: 'ns default', want: ['Status:       Active', 'limit'] },
    { kind: 'config map', line: 'cm settings', want: ['currency=EUR', 'colour:'] },
    { kind: 'secret', line: 'secret access', want: ['password:  6 bytes', 'Opaque'] },
    { kind: 'service account', line: 'sa robot', want: ['Mountable secrets:'] },
    {
      kind: 'deployment',
      line: 'deploy shop',
      want: ['2 desired | 2 updated | 2 total | 2 available', 'NewReplicaSetAvailable'],
    },
    {
      kind: 'replica set',
      line: 'rs -l app=shop',
      want: ['2 current / 2 desired', 'SuccessfulCreate'],
    },
    { kind: 'daemon set', line: 'ds agent', want: ['Desired Number of Nodes Scheduled: 2'] },
    { kind: 'replication controller', line: 'rc old', want: ['1 current / 1 desired'] },
    { kind: 'lease', line: 'lease turn', want: ['Holder Identity:  me'] },
    { kind: 'role', line: 'role reader', want: ['pods', '[get list]'] },
    { kind: 'role binding', line: 'rolebinding robot-reads', want: ['ServiceAccount  robot'] },
    { kind: 'cluster role', line: 'clusterrole view', want: ['pods', 'list'] },
    { kind: 'quota', line: 'quota limit', want: ['services.loadbalancers  0     5'] },
    { kind: 'limit range', line: 'limits sizes', want: ['PersistentVolumeClaim', 'storage'] },
    // Older kubectls ask for policy/v1beta1, which Kubernetes no longer serves.
    ...(kubectlIsAtLeast(21)
      ? [{ kind: 'budget', line: 'pdb careful', want: ['Min available:', 'app=none'] }]
      : []),
    { kind: 'ingress', line: 'ing front', want: ['shop.example', 'shop:80'] },
    { kind: 'network policy', line: 'netpol closed', want: ['Policy Types: Ingress'] },
    { kind: 'claim', line: 'pvc data', want: ['Status:        Pending'] },
    { kind: 'storage class', line: 'sc local', want: ['example.com/local'] },
    { kind: 'priority class', line: 'pc high', want: ['1000'] },
  ])('tells of a $kind', async ({ line, want }) => {
    const text = await run(`kubectl describe ${line}`);
    for (const part of want) expect(text).toContain(part);
  });
});

describe('what a cluster tells of itself', () => {
  it('lists its resources and versions', async () => {
    const resources = await run('kubectl api-resources');
    for (const row of [
      /^pods +po +v1 +true +Pod$/m,
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
      /^nodes +no +v1 +false +Node$/m,
      /^leases +coordination\.k8s\.io\/v1 +true +Lease$/m,
      /^endpointslices +discovery\.k8s\.io\/v1 +true +EndpointSlice$/m,
    ])
      expect(resources).toMatch(row);
    expect(await run('kubectl api-resources --namespaced=false -o name')).toContain('nodes\n');
    expect(await run('kubectl api-resources --verbs=list --api-group=apps -o name')).toBe(
      'controllerrevisions.apps\ndaemonsets.apps\ndeployments.apps\nreplicasets.apps\nstatefulsets.apps\n',
    );
    expect((await run('kubectl api-versions')).split('\n')).toContain('apps/v1');
  });

  it('says its version and where it runs', async () => {
    const { serverVersion } = JSON.parse(await run('kubectl version -o json')) as {
      serverVersion: Record<string, string>;
    };
    expect(serverVersion).toMatchObject({ major: '1', minor: '36', gitVersion: 'v1.36.4+orrery' });
    const info = await run('kubectl cluster-info');
    expect(info).toContain(`https://127.${cluster.block}.0.1:6443`);
    expect(info).toMatch(/is running at/);
    expect(await run('kubectl get --raw /readyz')).toBe('ok');
    expect(await run('kubectl get --raw /healthz')).toBe('ok');
  });

  it('explains kinds and fields', async () => {
    expect(await run('kubectl explain deployment')).toMatch(
      /KIND: +Deployment\nVERSION: +\S+[^]*FIELDS:[^]*spec\s+<DeploymentSpec>|KIND: +Deployment[^]*spec\s+<Object>/,
    );
    expect(await run('kubectl explain pod.spec.containers.image')).toMatch(
      /FIELD: +image <string>[^]*[Cc]ontainer image name/,
    );
    expect(await run('kubectl explain service.spec --recursive')).toMatch(/clusterIP\s+<string>/);
    expect(await cluster.refusal('kubectl explain pod.spec.colour')).toMatch(
      /field "colour" does not exist/,
    );
  });

  it('answers who may do what', async () => {
    expect(await run('kubectl auth can-i create deployments')).toBe('yes\n');
    expect(await run("kubectl auth can-i '*' '*' -A")).toBe('yes\n');
    const robot = '--as=system:serviceaccount:default:robot';
    expect(await run(`kubectl auth can-i list pods ${robot}`)).toBe('yes\n');
    const denied = await cluster.shell(`kubectl auth can-i delete pods ${robot}`, {
      allowFailure: true,
    });
    expect(denied).toMatchObject({ code: 1, stdout: 'no\n' });
    expect(await run(`kubectl auth can-i --list ${robot}`)).toMatch(
      /pods +\[\] +\[\] +\[get list\]/,
    );
    expect(await cluster.refusal(`kubectl delete pods --all ${robot}`)).toContain(
      'User "system:serviceaccount:default:robot" cannot delete resource "pods" in API group "" in the namespace "default"',
    );
  });

  it('waits for conditions, values and deletion', async () => {
    expect(await run('kubectl wait --for=condition=Available deployment/shop')).toBe(
      'deployment.apps/shop condition met\n',
    );
    expect(
      await cluster.refusal('kubectl wait --for=condition=Ready pod -l app=nobody --timeout=1s'),
    ).toBe('error: no matching resources found\n');
    expect(
      await cluster.refusal('kubectl wait --for=condition=Nothing deployment/shop --timeout=1s'),
    ).toContain('timed out waiting for the condition on deployments/shop');
    await run('kubectl run brief --image=nginx');
    const gone = cluster.shellBackground('kubectl wait --for=delete pod/brief --timeout=30s');
    await run('kubectl delete pod brief --now');
    expect(await gone.exit()).toBe(0);
  });
});

const SINCE = [
  { since: 0, line: 'kubectl version --client', want: /Client Version: / },
  {
    since: 23,
    line: "kubectl wait --for=jsonpath='{.status.readyReplicas}'=2 deployment/shop",
    want: /^deployment\.apps\/shop condition met\n$/,
  },
  { since: 24, line: 'kubectl create token robot', want: /^ey[\w-]+\.ey[\w-]+\.[\w-]+$/ },
  {
    since: 24,
    line: `kubectl patch deployment shop --subresource=scale --type=merge -p '{"spec": {"replicas": 2}}'`,
    want: /^scale\.autoscaling\/shop patched/,
  },
  { since: 26, line: 'kubectl events --for deployment/shop', want: /ScalingReplicaSet/ },
  { since: 27, line: 'kubectl auth whoami', want: /Username +kubernetes-admin/ },
];

describe('commands that younger kubectls have', () => {
  it.each(SINCE.filter(({ since }) => kubectlIsAtLeast(since)))('$line', async ({ line, want }) => {
    expect(await run(line)).toMatch(want);
  });
});
