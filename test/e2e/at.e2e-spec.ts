// Time travel: any kubectl, at any revision that the history still holds.
import { describe, expect, it } from '@jest/globals';
import { eventually, everyKubectl, useCluster } from './harness/index.js';

const cluster = useCluster({ args: ['--nodes', '1'] });

/** Runs `orrery at …` and answers the context that it wrote. */
async function at(...words: string[]): Promise<string> {
  const { stdout } = await cluster.orrery('at', ...words);
  return /^context (\S+):/.exec(stdout)?.[1] ?? stdout;
}

const CRD = JSON.stringify({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
});
const WIDGET = JSON.stringify({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'round' },
});

describe('orrery at', () => {
  let empty = '';
  let then = '';

  it('writes a context that shows the cluster as it was', async () => {
    empty = await at('now');
    await cluster.kubectl('create', 'configmap', 'here', '--from-literal=v=1');
    await cluster.kubectl('apply', '-f', '-', { stdin: CRD });
    await eventually(async () => {
      const { code } = await cluster.kubectl('apply', '-f', '-', {
        stdin: WIDGET,
        allowFailure: true,
      });
      return code === 0;
    });
    // Mirror pods come a moment after their node is ready.
    await eventually(async () => {
      const { stdout } = await cluster.kubectl('get', 'pods', '-n', 'kube-system', '-o', 'name');
      return stdout.includes('etcd-k8s-01');
    });
    then = await at('now');
    expect(then).toMatch(/^kubernetes@\d+$/);
    await cluster.kubectl('create', 'configmap', 'later');
    await cluster.kubectl('delete', 'configmap', 'here');
    await cluster.kubectl('delete', 'crd', 'widgets.example.com');
  });

  it('answers the oldest and the newest kubectl: lists, descriptions, discovery, replays, and refusals', async () => {
    const [oldest, newest] = [everyKubectl().at(0), everyKubectl().at(-1)];
    for (const { version } of new Set([oldest, newest].flatMap((one) => one ?? []))) {
      const past = (...words: string[]): Promise<{ stdout: string }> =>
        cluster.kubectl('--context', then, ...words, { version });
      expect((await past('get', 'pods', '-A', '-o', 'wide')).stdout).toContain('etcd-k8s-01');
      expect((await past('describe', 'configmap', 'here')).stdout).toMatch(/v:\n-+\n1\n/);
      expect((await past('api-resources', '--api-group=example.com')).stdout).toContain('widgets');
      expect((await past('get', 'widgets', '-o', 'name')).stdout).toContain('example.com/round');
      const write = await cluster.kubectl('--context', then, 'create', 'configmap', 'x', {
        version,
        allowFailure: true,
      });
      expect(write.stderr).toMatch(
        /the past is read-only: this is the cluster as it was at revision \d+/,
      );
      const refused = await cluster.kubectl('--context', empty, 'get', 'widgets', {
        version,
        allowFailure: true,
      });
      expect(refused.stderr).toContain(`the server doesn't have a resource type "widgets"`);
    }
  });

  it('replays what happened since', async () => {
    const replay = cluster.kubectlBackground(
      '--context',
      then,
      'get',
      'configmaps',
      '-w',
      '-o',
      'name',
    );
    await replay.waitFor(/configmap\/later/, 10_000);
    expect(replay.output.indexOf('configmap/here')).toBeLessThan(
      replay.output.indexOf('configmap/later'),
    );
    await replay.stop();
  });

  it('lists and removes its contexts, and words what the history does not have', async () => {
    const { stdout } = await cluster.orrery('at', '--list');
    expect(stdout).toMatch(new RegExp(`^CONTEXT.*\\n${empty} .* readable\\n${then} .* readable`));
    expect((await cluster.orrery('at', '--rm', empty)).stdout).toMatch(
      /removed, its pin \S+ released/,
    );
    const early = await cluster.orrery('at', '2020-01-01T00:00:00Z', { allowFailure: true });
    expect(early.stderr).toMatch(/not in the history any more: the oldest revision left is \d+/);
  });
});
