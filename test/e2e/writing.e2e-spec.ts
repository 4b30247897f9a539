// The verbs that change objects: apply, create, edit, patch, label, annotate, replace, delete; and what is refused.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually, kubectlIsAtLeast, useCluster } from './harness/index.js';

const cluster = useCluster();
const run = (line: string): Promise<string> => cluster.run(line, { cwd: cluster.scratch });
const SHOP = readFileSync(join(import.meta.dirname, 'testdata', 'shop.yaml'), 'utf8');

function write(name: string, text: string): string {
  const file = join(cluster.scratch, name);
  writeFileSync(file, text);
  return file;
}

describe('kubectl apply', () => {
  const words = (text: string): string[] =>
    text.split('\n').map((line) => line.split(' ').at(-1) ?? '');

  it('creates, leaves alone, and changes only what the manifest changed', async () => {
    write('shop.yaml', SHOP);
    expect(words(await run('kubectl apply -f shop.yaml'))).toEqual([
      'created',
      'created',
      'created',
      'created',
      '',
    ]);
    expect(words(await run('kubectl apply -f shop.yaml'))).toEqual([
      'unchanged',
      'unchanged',
      'unchanged',
      'unchanged',
      '',
    ]);
    await run('kubectl scale deployment/shop --replicas=3');
    await run('kubectl annotate configmap settings note=mine');
    write(
      'shop.yaml',
      SHOP.replace('colour: blue', 'colour: green').replace('replicas: 2\n', '\n'),
    );
    expect(words(await run('kubectl apply -f shop.yaml'))).toEqual([
      'configured',
      'unchanged',
      'unchanged',
      'configured',
      '',
    ]);
    expect(await run('kubectl get cm settings -o jsonpath={.data.colour}')).toBe('green');
    expect(await run('kubectl get cm settings -o jsonpath={.metadata.annotations.note}')).toBe(
      'mine',
    );
    // replicas was the manifest's and is now nobody's: it falls back to the default.
    expect(await run('kubectl get deploy shop -o jsonpath={.spec.replicas}')).toBe('1');
  });

  it('prunes what the manifest no longer has', async () => {
    write('less.yaml', SHOP.split('---\n').slice(1).join('---\n'));
    // The kinds that kubectl 1.20 prunes unasked have gone from Kubernetes since.
    const list = kubectlIsAtLeast(26) ? '--prune-allowlist' : '--prune-whitelist';
    const prune = `--prune -l part-of=shop ${list}=core/v1/ConfigMap`;
    expect(await run(`kubectl apply -f less.yaml ${prune}`)).toContain(
      'configmap/settings pruned\n',
    );
    expect(await cluster.refusal('kubectl get cm settings')).toContain('not found');
    expect(await run('kubectl get secret access -o name')).toBe('secret/access\n');
  });

  it('shows the difference before it applies', async () => {
    write('more.yaml', SHOP.replace('value: blue', 'value: red'));
    const { code, stdout } = await cluster.shell('kubectl diff -f more.yaml', {
      cwd: cluster.scratch,
      allowFailure: true,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\+ +value: red$/m);
    expect(stdout).toMatch(/^\+kind: ConfigMap$/m);
  });

  it("applies on the server's side, and tells of conflicts", async () => {
    const manifest = (colour: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {colour: ${colour}}\n`;
    write('shared.yaml', manifest('blue'));
    expect(await run('kubectl apply --server-side --field-manager=one -f shared.yaml')).toBe(
      'configmap/shared serverside-applied\n',
    );
    write('shared.yaml', manifest('red'));
    const line = 'kubectl apply --server-side --field-manager=two -f shared.yaml';
    expect(await cluster.refusal(line, { cwd: cluster.scratch })).toContain(
      'conflict with "one": .data.colour',
    );
    expect(await run(`${line} --force-conflicts`)).toContain('serverside-applied');
  });

  it('takes JSON, YAML from standard input, folders and kustomizations', async () => {
    write('kustomization.yaml', 'resources: [one.json]\nnamePrefix: my-\n');
    write(
      'one.json',
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1"}}',
    );
    expect(await run('kubectl apply -f one.json')).toBe('configmap/one created\n');
    expect(await run('kubectl apply -k .')).toBe('configmap/my-one created\n');
    expect(await run('cat one.json | sed s/one/two/ | kubectl apply -f -')).toBe(
      'configmap/two created\n',
    );
    expect(await run('kubectl get cm one my-one two -o name')).toBe(
      'configmap/one\nconfigmap/my-one\nconfigmap/two\n',
    );
  });
});

describe('kubectl create', () => {
  it.each([
    ['namespace team', 'namespace/team created'],
    ['configmap words --from-literal=a=1 --from-literal=b=2', 'configmap/words created'],
    ['secret generic pass --from-literal=p=s3cret', 'secret/pass created'],
    ['serviceaccount robot', 'serviceaccount/robot created'],
    [
      'role reader --verb=get,list --resource=pods',
      'role.rbac.authorization.k8s.io/reader created',
    ],
    [
      'rolebinding reads --role=reader --serviceaccount=default:robot',
      'rolebinding.rbac.authorization.k8s.io/reads created',
    ],
    [
      'clusterrole seer --verb=get --resource=nodes',
      'clusterrole.rbac.authorization.k8s.io/seer created',
    ],
    ['quota few --hard=services.loadbalancers=5', 'resourcequota/few created'],
    ['priorityclass first --value=100', 'priorityclass.scheduling.k8s.io/first created'],
    ['service clusterip plain --tcp=80:8080', 'service/plain created'],
    ['service nodeport open --tcp=80', 'service/open created'],
    ['job once --image=busybox -- true', 'job.batch/once created'],
    ['deployment web --image=nginx --replicas=2', 'deployment.apps/web created'],
  ])('makes a %s', async (words, want) => {
    expect(await run(`kubectl create ${words}`)).toBe(`${want}\n`);
  });

  // Older kubectls ask for versions of these that Kubernetes no longer serves.
  it('makes cron jobs and disruption budgets', async () => {
    const [schedule, budget] = kubectlIsAtLeast(21)
      ? [
          "kubectl create cronjob often --image=busybox --schedule='*/5 * * * *' -- true",
          'kubectl create pdb careful --selector=app=x --min-available=1',
        ]
      : [
          `printf 'apiVersion: batch/v1\\nkind: CronJob\\nmetadata: {name: often}\\nspec: {schedule: "*/5 * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: busybox}]}}}}}' | kubectl create -f -`,
          `printf 'apiVersion: policy/v1\\nkind: PodDisruptionBudget\\nmetadata: {name: careful}\\nspec: {minAvailable: 1, selector: {matchLabels: {app: x}}}' | kubectl create -f -`,
        ];
    expect(await run(schedule)).toBe('cronjob.batch/often created\n');
    expect(await run(budget)).toBe('poddisruptionbudget.policy/careful created\n');
  });

  it('makes objects of a file once', async () => {
    write('once.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: once}\n');
    expect(await run('kubectl create -f once.yaml')).toBe('configmap/once created\n');
    expect(await cluster.refusal('kubectl create -f once.yaml', { cwd: cluster.scratch })).toBe(
      'Error from server (AlreadyExists): error when creating "once.yaml": configmaps "once" already exists\n',
    );
  });

  it('gives names of its own to objects with generateName', async () => {
    write('many.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: many-}\n');
    const made = await run('kubectl create -f many.yaml -f many.yaml -o name');
    const names = made.trim().split('\n');
    expect(names.every((name) => /^configmap\/many-[a-z0-9]{5}$/.test(name))).toBe(true);
    expect(new Set(names).size).toBe(2);
  });
});

describe('changes to one object', () => {
  const labels = 'kubectl get deploy web -o jsonpath={.metadata.labels}';

  it('edits in the editor of the user', async () => {
    const env = { EDITOR: "sed -i 's/replicas: 2/replicas: 3/'" };
    expect(await cluster.run('kubectl edit deployment web', { env })).toBe(
      'deployment.apps/web edited\n',
    );
    expect(await run('kubectl get deploy web -o jsonpath={.spec.replicas}')).toBe('3');
    const cancelled = await cluster.shell('kubectl edit deployment web', {
      env: { EDITOR: 'true' },
    });
    expect(cancelled.stdout + cancelled.stderr).toContain('Edit cancelled, no changes made');
  });

  it('keeps an edit that the server refused', async () => {
    const script = write('spoil-once', `#!/bin/sh\nsed -i 's/replicas: 3/replicas: -3/' "$1"\n`);
    const { code, stderr } = await cluster.shell('kubectl edit deployment web', {
      env: { EDITOR: `sh ${script}` },
      allowFailure: true,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/spec\.replicas: Invalid value: -3|A copy of your changes/);
  });

  it('patches in each of the three ways', async () => {
    const patch = (options: string, body: object): Promise<string> =>
      run(`kubectl patch deployment web ${options} -p '${JSON.stringify(body)}'`);
    const container = { name: 'nginx', env: [{ name: 'A', value: '1' }] };
    const strategic = { spec: { template: { spec: { containers: [container] } } } };
    expect(await patch('', strategic)).toBe('deployment.apps/web patched\n');
    await eventually(async () => {
      expect(await patch('', strategic)).toBe('deployment.apps/web patched (no change)\n');
    });
    expect(await run('kubectl get deploy web -o jsonpath={..containers[0].image}')).toBe('nginx');
    await patch('--type=merge', { metadata: { labels: { tier: 'front', app: null } } });
    expect(await run(labels)).toBe('{"tier":"front"}');
    await patch('--type=json', [{ op: 'replace', path: '/spec/replicas', value: 1 }] as object);
    expect(await run('kubectl get deploy web -o jsonpath={.spec.replicas}')).toBe('1');
    expect(
      await cluster.refusal(`kubectl patch deployment web -p '{"spec": {"replicas": "many"}}'`),
    ).toContain('unrecognized type: int32');
  });

  it('labels and annotates', async () => {
    expect(await run('kubectl label deployment web stage=test')).toBe(
      'deployment.apps/web labeled\n',
    );
    expect(await cluster.refusal('kubectl label deployment web stage=live')).toContain(
      "'stage' already has a value (test), and --overwrite is false",
    );
    await run('kubectl label deployment web stage=live --overwrite');
    expect(await run(labels)).toContain('"stage":"live"');
    await run('kubectl label deployment web stage-');
    expect(await run(labels)).not.toContain('stage');
    expect(await run('kubectl annotate deployment web owner=me')).toMatch(/annotated\n$/);
    expect(await run('kubectl get deploy web -o jsonpath={.metadata.annotations.owner}')).toBe(
      'me',
    );
    await run('kubectl annotate deployment web owner-');
    expect(await cluster.refusal("kubectl label deployment web 'bad key=1'")).toContain('bad key');
  });

  it('replaces, also by force', async () => {
    write('once.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: once}\ndata: {a: b}\n');
    expect(await run('kubectl replace -f once.yaml')).toBe('configmap/once replaced\n');
    const uid = 'kubectl get cm once -o jsonpath={.metadata.uid}';
    const before = await run(uid);
    expect(await run('kubectl replace --force -f once.yaml')).toBe(
      'configmap "once" deleted\nconfigmap/once replaced\n',
    );
    expect(await run(uid)).not.toBe(before);
  });

  it('taints a node, and evicts what does not tolerate it', async () => {
    await run('kubectl rollout status deployment/web --timeout=60s');
    expect(await run('kubectl taint node k8s-02 work=none:NoExecute')).toBe(
      'node/k8s-02 tainted\n',
    );
    await eventually(
      async () => {
        const nodes = await run(
          `kubectl get pods -l app=web -o jsonpath='{range .items[*]}{.spec.nodeName} {end}'`,
        );
        expect(nodes).toContain('k8s-03');
        expect(nodes).not.toContain('k8s-02');
      },
      { timeoutMs: 30_000 },
    );
    expect(await run('kubectl taint node k8s-02 work=none:NoExecute-')).toBe(
      'node/k8s-02 untainted\n',
    );
  });
});

describe('kubectl delete', () => {
  it('deletes by name, by label, by file and all of a kind', async () => {
    await run('kubectl -n team create cm one');
    await run('kubectl -n team create cm two');
    await run('kubectl -n team label cm two kind=odd');
    expect(await run('kubectl -n team delete cm -l kind=odd')).toMatch(/^configmap "two" deleted/);
    expect(await run('kubectl -n team delete cm one')).toMatch(/^configmap "one" deleted/);
    expect(await cluster.refusal('kubectl -n team delete cm one')).toBe(
      'Error from server (NotFound): configmaps "one" not found\n',
    );
    expect(await run('kubectl -n team delete cm one --ignore-not-found')).toBe('');
    expect(await run('kubectl delete -f once.yaml')).toMatch(/^configmap "once" deleted/);
    await run('kubectl -n team create deployment web --image=nginx --replicas=2');
    await run('kubectl -n team rollout status deployment/web --timeout=60s');
    expect(await run('kubectl -n team delete deployment --all')).toMatch(
      /^deployment\.apps "web" deleted/,
    );
    await eventually(async () => {
      expect(await run('kubectl -n team get rs,pods -o name')).toBe('');
    });
  });

  it('leaves the dependents with --cascade=orphan', async () => {
    await run('kubectl -n team create deployment kept --image=nginx');
    await run('kubectl -n team rollout status deployment/kept --timeout=60s');
    await run('kubectl -n team delete deployment kept --cascade=orphan');
    await eventually(async () => {
      const owners = await run(
        "kubectl -n team get rs -l app=kept -o jsonpath='{.items[*].metadata.ownerReferences}'",
      );
      expect(owners).toBe('');
    });
    expect(await run('kubectl -n team get rs -l app=kept -o name')).toMatch(/kept-/);
  });

  it('empties a namespace with it', async () => {
    expect(await run('kubectl delete namespace team')).toMatch(/^namespace "team" deleted/);
    expect(await cluster.refusal('kubectl get ns team')).toContain('"team" not found');
    expect(await run('kubectl get pods -n team -o name 2>/dev/null')).toBe('');
    expect(await cluster.refusal('kubectl -n team create cm late')).toContain(
      'namespaces "team" not found',
    );
    expect(await cluster.refusal('kubectl delete ns kube-system')).toContain('is forbidden');
  });
});

describe('what is refused', () => {
  it.each([
    {
      name: 'a manifest that is not YAML',
      manifest: 'a: [b',
      want: 'error: error parsing STDIN: error converting YAML to JSON',
    },
    {
      name: 'an unknown kind',
      manifest: 'apiVersion: v9\nkind: Unicorn\nmetadata: {name: a}',
      want: 'no matches for kind "Unicorn" in version "v9"',
    },
    {
      name: 'a manifest without a kind',
      manifest: 'apiVersion: v1\nmetadata: {name: a}',
      want: /Kind.*missing|kind not set/,
    },
    {
      name: 'an unknown field',
      manifest: 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {colour: red}',
      want: /unknown field "(spec\.)?colour"/,
    },
    {
      name: 'a value of the wrong type',
      manifest: 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: many}',
      want: /cannot unmarshal string|invalid type for io\.k8s\.api\.core\.v1\.ServiceSpec\.ports/,
    },
    {
      name: 'values that are not allowed, all of them named',
      manifest:
        'apiVersion: v1\nkind: Pod\nmetadata: {name: A_b}\nspec: {restartPolicy: Perhaps, containers: [{name: x}, {name: x, image: web}]}',
      want: /metadata\.name: Invalid value: "A_b"[^]*(spec\.containers\[1\]\.name: Duplicate value: "x"|spec\.containers\[0\]\.image: Required value)[^]*spec\.restartPolicy: Unsupported value: "Perhaps"/,
    },
    {
      name: 'a selector that does not match its template',
      manifest:
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: x, image: web}]}}}',
      want: 'spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`',
    },
  ])('$name', async ({ manifest, want }) => {
    const { code, stderr } = await cluster.shell('kubectl create -f -', {
      stdin: manifest,
      allowFailure: true,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(want);
  });

  it('a change to what cannot change', async () => {
    expect(
      await cluster.refusal(
        `kubectl patch svc kubernetes --type=merge -p '{"spec": {"clusterIP": "127.${cluster.block}.128.77"}}'`,
      ),
    ).toContain('spec.clusterIPs[0]: Invalid value');
    expect(
      await cluster.refusal(
        `kubectl patch deployment web -p '{"spec": {"selector": {"matchLabels": {"b": "c"}}}}'`,
      ),
    ).toContain('field is immutable');
  });

  it('a stale write, with nothing changed', async () => {
    await run('kubectl get deploy web -o yaml > stale.yaml');
    await run('kubectl annotate deployment web touched=yes --overwrite');
    expect(
      await cluster.refusal('kubectl replace -f stale.yaml', { cwd: cluster.scratch }),
    ).toContain(
      'the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  it('commands without, or with a broken, kubeconfig', async () => {
    const missing = await cluster.refusal('kubectl get pods', {
      env: { KUBECONFIG: '/nowhere/config' },
    });
    expect(missing).toMatch(/localhost:8080 was refused|no such file|connection refused/);
    const broken = write('broken.conf', 'not: [a config');
    expect(await cluster.refusal('kubectl get pods', { env: { KUBECONFIG: broken } })).toContain(
      'error loading config file',
    );
  });
});
