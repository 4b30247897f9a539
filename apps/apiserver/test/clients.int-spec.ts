// Clients that others have written, on our server; each test whose client is missing says so by name.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as k8s from '@kubernetes/client-node';
import { eventually, freeAddress, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Replica } from './replica.js';

const PYTHON = '/usr/bin/python3';
const runs = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;
const hasPython = runs(PYTHON, '-c', 'import kubernetes');
const notRun = (isThere: boolean, why: string): string => (isThere ? '' : ` (not run: ${why})`);

/** Debian's prometheus is built without the discovery that this is about. */
function whyNoPrometheus(): string {
  if (!runs('prometheus', '--version')) return 'prometheus is not installed';
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const file = join(folder, 'check.yml');
  const kubernetes_sd_configs = [{ role: 'node' }];
  writeFileSync(
    file,
    JSON.stringify({ scrape_configs: [{ job_name: 'x', kubernetes_sd_configs }] }),
  );
  const knows = runs('promtool', 'check', 'config', file);
  rmSync(folder, { recursive: true });
  return knows ? '' : 'this prometheus is built without kubernetes_sd_configs';
}

const noPrometheus = whyNoPrometheus();
const hasPrometheus = noPrometheus === '';

const SCRIPT = `
import json, sys
from kubernetes import client, config, watch, dynamic
config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
seen = {}
name = lambda each: each.metadata.name
core.create_namespace({'metadata': {'name': 'py'}})
core.create_namespaced_config_map('py', {'metadata': {'name': 'one', 'labels': {'a': 'b'}}, 'data': {'k': 'v'}})
seen['read'] = core.read_namespaced_config_map('one', 'py').data
core.patch_namespaced_config_map('one', 'py', {'data': {'k': None, 'l': 'w'}})
seen['patched'] = core.read_namespaced_config_map('one', 'py').data
seen['selected'] = [name(each) for each in core.list_namespaced_config_map('py', label_selector='a=b').items]
deployment = {'metadata': {'name': 'web'}, 'spec': {'replicas': 2, 'selector': {'matchLabels': {'a': 'w'}}, 'template': {
  'metadata': {'labels': {'a': 'w'}}, 'spec': {'containers': [{'name': 'c', 'image': 'nginx'}]}}}}
apps.create_namespaced_deployment('py', deployment)
apps.patch_namespaced_deployment_scale('web', 'py', {'spec': {'replicas': 3}})
seen['scale'] = apps.read_namespaced_deployment_scale('web', 'py').spec.replicas
listed = core.list_namespaced_config_map('py')
core.create_namespaced_config_map('py', {'metadata': {'name': 'two'}})
seen['watched'] = []
for event in watch.Watch().stream(core.list_namespaced_config_map, 'py', resource_version=listed.metadata.resource_version, timeout_seconds=5):
  seen['watched'].append([event['type'], name(event['object'])])
  break
maps = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version='v1', kind='ConfigMap')
seen['discovered'] = [maps.name, maps.namespaced]
body = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'applied', 'namespace': 'py'}, 'data': {'x': 'y'}}
core.api_client.call_api('/api/v1/namespaces/py/configmaps/applied', 'PATCH', query_params=[('fieldManager', 'py')],
  header_params={'Content-Type': 'application/apply-patch+yaml'}, body=json.dumps(body), auth_settings=['BearerToken'])
seen['managers'] = [each.manager for each in core.read_namespaced_config_map('applied', 'py').metadata.managed_fields]
core.delete_namespaced_config_map('one', 'py')
try:
  core.read_namespaced_config_map('one', 'py')
except client.exceptions.ApiException as error:
  seen['gone'] = [error.status, json.loads(error.body)['reason']]
print(json.dumps(seen))
`;

describe('clients of others', () => {
  const etcd = useEtcd();
  const folder = mkdtempSync(join(tmpdir(), 'clients-'));
  const kubeconfig = join(folder, 'config');
  const config = new k8s.KubeConfig();
  const children: ChildProcess[] = [];
  let server: Replica;

  beforeAll(async () => {
    writeFileSync(join(folder, 'tokens.csv'), 'root,root,1,system:masters\n');
    server = await startReplica({
      etcd: etcd.endpoints,
      keyspace: etcd.keyspace,
      headers: { authorization: 'Bearer root' },
      flags: [
        '--authorization-mode=RBAC',
        `--token-auth-file=${join(folder, 'tokens.csv')}`,
        '--disable-admission-plugins=ServiceAccount',
      ],
    });
    config.loadFromOptions({
      clusters: [{ name: 'c', server: server.address, skipTLSVerify: true }],
      users: [{ name: 'u', token: 'root' }],
      contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
      currentContext: 'x',
    });
    writeFileSync(kubeconfig, config.exportConfig());
  }, 30_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it(`python3-kubernetes reads, writes, scales, watches and applies${notRun(hasPython, 'python3-kubernetes is not installed')}`, async () => {
    if (!hasPython) return;
    const { stdout } = await promisify(execFile)(PYTHON, [
      '-W',
      'ignore',
      '-c',
      SCRIPT,
      kubeconfig,
    ]);
    expect(JSON.parse(stdout)).toEqual({
      read: { k: 'v' },
      patched: { l: 'w' },
      selected: ['one'],
      scale: 3,
      watched: [['ADDED', 'two']],
      discovered: ['configmaps', true],
      managers: ['py'],
      gone: [404, 'NotFound'],
    });
  }, 30_000);

  it(`prometheus discovers nodes, services and pods, and those that come later${notRun(hasPrometheus, noPrometheus)}`, async () => {
    if (!hasPrometheus) return;
    const pod = {
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 9 }] }] },
    };
    await server.post('/api/v1/nodes', { metadata: { name: 'n-1' } });
    await server.post('/api/v1/namespaces/default/pods', pod);
    const status = { phase: 'Running', podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }] };
    await server.patch('/api/v1/namespaces/default/pods/p/status', 'merge-patch+json', { status });
    const { host, port } = await freeAddress();
    const listen = `${host}:${port}`;
    const job = (role: string): object => ({
      job_name: role,
      scrape_interval: '1h',
      kubernetes_sd_configs: [
        {
          role,
          api_server: server.address,
          authorization: { credentials: 'root' },
          tls_config: { insecure_skip_verify: true },
        },
      ],
    });
    const roles = ['node', 'service', 'pod', 'endpoints', 'endpointslice', 'ingress'];
    writeFileSync(
      join(folder, 'prometheus.yml'),
      JSON.stringify({ scrape_configs: roles.map(job) }),
    );
    const flags = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=${listen}`,
    ];
    children.push(spawn('prometheus', flags, { stdio: 'ignore' }));
    const labels = async (): Promise<string> =>
      (await fetch(`http://${listen}/api/v1/targets?state=active`)).text();
    await eventually(
      async () => {
        const text = await labels();
        expect(text).toContain('"__meta_kubernetes_node_name":"n-1"');
        expect(text).toContain('"__meta_kubernetes_service_name":"kubernetes"');
        expect(text).toContain('"__meta_kubernetes_pod_ip":"10.1.2.3"');
        expect(text).toContain('"__meta_kubernetes_endpoints_name":"kubernetes"');
        expect(text).toContain('"__meta_kubernetes_endpointslice_name":"kubernetes"');
      },
      { timeoutMs: 40_000 },
    );
    await server.post('/api/v1/nodes', { metadata: { name: 'n-2' } });
    await eventually(
      async () => {
        expect(await labels()).toContain('"__meta_kubernetes_node_name":"n-2"');
      },
      { timeoutMs: 20_000 },
    );
  }, 70_000);

  it('@kubernetes/client-node reads, writes, watches and applies', async () => {
    const core = config.makeApiClient(k8s.CoreV1Api);
    const namespace = 'default';
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'cn' } } });
    const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      core.listNamespacedConfigMap({ namespace }),
    );
    const seen: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const)
      informer.on(verb, ({ metadata }) => seen.push(`${verb} ${metadata?.name ?? ''}`));
    await informer.start();
    await core.replaceNamespacedConfigMap({
      namespace,
      name: 'cn',
      body: { metadata: { name: 'cn' }, data: { a: '1' } },
    });
    expect((await core.readNamespacedConfigMap({ namespace, name: 'cn' })).data).toEqual({
      a: '1',
    });
    const objects = k8s.KubernetesObjectApi.makeApiClient(config);
    const wanted: k8s.V1ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cn-applied', namespace },
      data: { x: 'y' },
    };
    const applied = await objects.patch(
      wanted,
      undefined,
      undefined,
      'client-node',
      true,
      k8s.PatchStrategy.ServerSideApply,
    );
    expect(applied.metadata?.managedFields?.[0]).toMatchObject({
      manager: 'client-node',
      operation: 'Apply',
    });
    await core.deleteNamespacedConfigMap({ namespace, name: 'cn' });
    await eventually(() => {
      expect(seen).toEqual(
        expect.arrayContaining(['add cn', 'update cn', 'add cn-applied', 'delete cn']),
      );
    });
    await informer.stop();
    await expect(core.readNamespacedConfigMap({ namespace, name: 'cn' })).rejects.toMatchObject({
      code: 404,
    });
  }, 30_000);
});
