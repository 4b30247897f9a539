// The causes of what upstream's kube-controller-manager writes, which sends none: KUBE_BIN_DIR names the folder with the
// binary. It takes the place of ours, as an administrator would swap it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Cluster, eventually, orreryLine } from './harness/index.js';

const folder = process.env['KUBE_BIN_DIR'] ?? '';
const binary = join(folder, 'kube-controller-manager');
const isThere = folder !== '' && existsSync(binary);
const NOT_RUN = isThere ? '' : ' (not run: KUBE_BIN_DIR names no kube-controller-manager)';

describe("upstream's kube-controller-manager", () => {
  const cluster = isThere ? new Cluster({ args: ['--isolate'] }) : undefined;
  afterAll(() => cluster?.destroy(), 60_000);

  it(`has its ReplicaSets explained by what it must have been sent${NOT_RUN}`, async () => {
    if (!cluster) return;
    await cluster.start();
    await cluster.orrery('stop', 'kube-controller-manager');
    const pki = (name: string): string => join(cluster.dir, 'pki', name);
    const flags = [
      `--kubeconfig=${join(cluster.dir, 'controller-manager.conf')}`,
      `--service-account-private-key-file=${pki('sa.key')}`,
      `--root-ca-file=${pki('ca.crt')}`,
      `--cert-dir=${cluster.scratch}`,
      `--bind-address=127.${cluster.block}.0.1`,
      '--leader-elect=false',
      '--controllers=deployment,replicaset,endpoint,endpointslice',
    ];
    const upstream = cluster.shellBackground([binary, ...flags].join(' '));
    await cluster.kubectl('create', 'deployment', 'web', '--image=nginx');
    await cluster.kubectl('wait', '--for=condition=Available', 'deploy/web', '--timeout=60s');
    await eventually(
      async () => {
        const { stdout } = await cluster.shell(orreryLine('explain', 'deployment/web'));
        expect(stdout).toMatch(
          /kube-controller-manager sees Deployment web@\d+ {2}\[inferred: its owner Deployment web\]/,
        );
        expect(stdout).toMatch(/^ +1 .*kubernetes-admin with kubectl create asks/m);
        expect(stdout).toMatch(/ 13 .*Deployment web is saved: status: ready 1\/1/);
      },
      { timeoutMs: 20_000 },
    );
    await upstream.stop('SIGTERM');
  }, 180_000);
});
