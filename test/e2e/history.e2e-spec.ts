// Who wrote what, and why: history, diff, log and explain of a real cluster, also as kubectl plugins.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { eventually, orreryLine, useCluster } from './harness/index.js';

const BIN = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bin');

describe('the reasons of a cluster', () => {
  const cluster = useCluster();
  const orrery = (...args: string[]) =>
    cluster.shell(orreryLine(...args), { allowFailure: true, timeoutMs: 30_000 });

  const revision = async (): Promise<number> => {
    const { stdout } = await cluster.kubectl('get', 'ns', 'default', '-o', 'json', '-v=0');
    expect(stdout).toContain('resourceVersion');
    const list = await cluster.shell('kubectl get --raw /api/v1/namespaces');
    return Number(
      (JSON.parse(list.stdout) as { metadata: { resourceVersion: string } }).metadata
        .resourceVersion,
    );
  };

  let before = 0;

  it('explains a Deployment in 13 steps, from the command to what is running', async () => {
    before = await revision();
    await cluster.kubectl('create', 'deployment', 'web', '--image=nginx', '--replicas=2');
    await cluster.kubectl('wait', '--for=condition=Available', 'deploy/web', '--timeout=30s');
    await eventually(
      async () => {
        const { stdout } = await orrery('explain', 'deployment/web');
        const steps = stdout.split('\n').filter((line) => /^ *\d+ {2}/.test(line));
        const texts = steps.map((line) => line.replace(/^.{0,42}(?= [A-Za-z])/, '').trim());
        expect(texts.map((text) => text.replaceAll(/web-\w+(-\w+)?/g, 'NAME'))).toEqual([
          expect.stringMatching(
            /^kubernetes-admin with kubectl create asks to create Deployment web/,
          ),
          'Deployment web is saved: created: 2 replicas of nginx',
          expect.stringMatching(/^deployment-controller .* sees Deployment web@\d+$/),
          'ReplicaSet NAME is saved: created: 2 replicas of nginx',
          expect.stringMatching(/^replicaset-controller .* sees ReplicaSet NAME@\d+$/),
          'Pod NAME is saved: created: nginx',
          expect.stringMatching(/^kube-scheduler sees Pod NAME@\d+$/),
          expect.stringMatching(/^Pod NAME is saved: bound to k8s-0\d$/),
          expect.stringMatching(/^kubelet on k8s-0\d sees Pod NAME@\d+$/),
          expect.stringMatching(/^kubelet on k8s-0\d has the container runtime start nginx/),
          expect.stringMatching(/^Pod NAME is saved: Running, ready/),
          expect.stringMatching(
            /^replicaset-controller .* sees Pod .*; ReplicaSet NAME is saved: status: ready 2\/2$/,
          ),
          expect.stringMatching(
            /^deployment-controller .* sees ReplicaSet .*; Deployment web is saved: status: ready 2\/2$/,
          ),
        ]);
      },
      { timeoutMs: 15_000 },
    );
  });

  it('explains as JSON and as pictures that need nothing else', async () => {
    const json = await orrery('explain', 'deploy', 'web', '-o', 'json');
    const { chain, steps, root } = JSON.parse(json.stdout) as Record<string, unknown[]>;
    expect([chain?.length, steps?.length, root]).toEqual([7, 13, 'request']);
    const svg = await orrery('explain', 'deployments.apps/web', '-osvg');
    expect(svg.stdout).toMatch(/^<svg xmlns=.*<\/svg>\s*$/s);
    expect(svg.stdout.match(/class="box main"/g)).toHaveLength(7);
    const html = await orrery('explain', 'deploy/web', '--output=html');
    expect(html.stdout).toMatch(/^<!doctype html>.*<svg .*<\/html>\s*$/s);
    expect(html.stdout).not.toMatch(/(src|href)=/);
  });

  it('tells the history of an object, and what a change of mine led to', async () => {
    await cluster.kubectl('scale', 'deploy/web', '--replicas=3');
    await cluster.kubectl(
      'wait',
      '--for=jsonpath={.status.readyReplicas}=3',
      'deploy/web',
      '--timeout=30s',
    );
    const { stdout } = await orrery('history', 'deployment/web');
    expect(stdout).toMatch(
      /^Deployment web in default: \d+ writes\n\n\+ @\d+ .* kubernetes-admin with kubectl create, create\n {2}created: 2 replicas of nginx/,
    );
    expect(stdout).toMatch(/~ @\d+ .*kubernetes-admin with kubectl.*\n {2}spec\.replicas: 2 -> 3/);
    expect(stdout).toMatch(/because of ReplicaSet web-\w+@\d+: status: ready 3\/3/);
  });

  it('tells what changed between two moments, and each write of that time in a line', async () => {
    const diff = await orrery('diff', '--from', String(before));
    expect(diff.stdout).toMatch(/^\+ Deployment web: created: 3 replicas of nginx/m);
    expect(diff.stdout).toMatch(/\d+ objects changed: \d+ added, 0 modified, 0 deleted\s*$/);
    const pods = await orrery('diff', '--from', '-10m', '--to=now', '-A', 'pods');
    expect(pods.stderr + pods.stdout).toMatch(/\+ Pod web-|no longer in the history/);
    const log = await orrery('log', '--since', String(before), 'pods', '-n', 'default');
    expect(log.stdout).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} {2}@\d+ {2}~ Pod web-\S+: bound to k8s-0\d {2}\[kube-scheduler, because of @\d+\]$/m,
    );
  });

  it('follows the log, also as a kubectl plugin', async () => {
    const log = cluster.shellBackground(orreryLine('log', '-f', 'configmaps'));
    await eventually(async () => {
      await cluster.kubectl('create', 'cm', `seen-${Date.now()}`);
      expect(log.output).toMatch(
        /\+ ConfigMap seen-\d+: created {2}\[kubernetes-admin with kubectl create\]/,
      );
    });
    expect(await log.stop('SIGINT')).toBe(0);
    const plugin = await cluster.shell(
      `PATH=${BIN}:$PATH kubectl orrery explain deploy/web && PATH=${BIN}:$PATH kubectl history deploy/web --limit 1 && PATH=${BIN}:$PATH kubectl why deploy/web -o json`,
      { timeoutMs: 60_000 },
    );
    expect(plugin.stdout).toMatch(
      /why it is as it is at revision \d+[^]*: 1 write, the newest of more[^]*"kind": "Deployment"/,
    );
  });

  it.each<{ args: string[]; says: RegExp }>([
    { args: ['explain', 'deployment/none'], says: /deployments\.apps "none" not found/ },
    { args: ['explain', 'pod/none', '--scheduling'], says: /pods "none" not found/ },
    { args: ['explain', 'unicorn/x'], says: /doesn't have a resource type "unicorn"/ },
    { args: ['history', 'pods'], says: /needs one object/ },
    { args: ['history', 'pod/x', '--frobnicate'], says: /unknown flag: --frobnicate/ },
    { args: ['explain', 'deploy/web', '-o', 'png'], says: /output.*text, json, svg, html/ },
    { args: ['diff'], says: /needs --from/ },
    { args: ['diff', '--from', 'yesterday'], says: /"yesterday" is no moment/ },
    { args: ['log', '--context', 'nowhere'], says: /no entry named "nowhere"|context/ },
    { args: ['log', '--kubeconfig', '/nowhere'], says: /\/nowhere cannot be read/ },
  ])('refuses orrery $args in one line', async ({ args, says }) => {
    const { code, stderr } = await orrery(...args);
    expect(stderr).toMatch(says);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).not.toBe(0);
  });
});
