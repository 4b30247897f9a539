// A cluster as its user starts, restarts, names and stops it; and what `orrery up` refuses.
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Cluster, eventually, newHome, orreryLine, processesOf, shell } from './harness/index.js';
import type { CommandResult } from './harness/index.js';

jest.setTimeout(120_000);

describe('one cluster after another', () => {
  const cluster = new Cluster();
  const other = new Cluster({ home: cluster.home, name: 'other' });
  const uidOf = (resource: string): Promise<string> =>
    cluster.run(`kubectl get ${resource} -o jsonpath={.metadata.uid}`);
  let deployment = '';
  let block = 0;

  beforeAll(async () => {
    await cluster.start();
  });
  afterAll(async () => {
    await other.stop();
    await cluster.destroy();
  });

  it('says in three lines what to do next', async () => {
    block = cluster.block;
    expect(cluster.output).toContain(
      `  export KUBECONFIG=${cluster.kubeconfig}\n  kubectl get nodes,pods -A -o wide\n  # stop: Ctrl-C here, or kill `,
    );
    expect(cluster.output).toMatch(/API server …\n[^]*nodes …\n[^]*ready in \d+\.\d s/);
    const ps = await cluster.run(orreryLine('ps'));
    for (const name of ['etcd', 'kube-apiserver', 'controllers', 'dataplane', 'nodes'])
      expect(ps).toMatch(new RegExp(`^${name} +\\d+ +0 +running$`, 'm'));
  });

  it('refuses a second cluster of the same name', async () => {
    const { code, stderr } = await cluster.shell(orreryLine('up'), { allowFailure: true });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^orrery: cluster "orrery" is already running \(process \d+\); stop it with Ctrl-C in its terminal or `kill \d+`, or start a second one beside it: npm start -- --name other\n$/,
    );
    expect(await cluster.run('kubectl get nodes -o name')).toContain('node/k8s-01');
  });

  it('runs one of another name beside it, with a block of its own', async () => {
    await other.start();
    expect(other.block).not.toBe(cluster.block);
    await other.run('kubectl create configmap only-there');
    await cluster.refusal('kubectl get configmap only-there');
    expect(await other.run('kubectl get nodes -o wide')).toContain(` 127.${other.block}.0.1 `);
    expect(await other.stop()).toBe(0);
    expect(processesOf(other.dir)).toEqual([]);
  });

  it('refuses a block that another cluster uses', async () => {
    const home = newHome();
    const line = orreryLine('up', '--block', String(block));
    const stderr = await cluster.refusal(line, { env: { ORRERY_HOME: home } });
    expect(stderr).toContain(`127.${block}.0.0/16 is in use by another cluster (${cluster.dir})`);
    expect(existsSync(join(home, 'orrery'))).toBe(false);
    rmSync(home, { recursive: true, force: true });
  });

  it('leaves no process after Ctrl-C', async () => {
    await cluster.run('kubectl create deployment web --image=nginx --replicas=2');
    await cluster.run('kubectl run host --image=busybox -- sleep 100000');
    await cluster.run('kubectl rollout status deployment/web --timeout=60s');
    await cluster.run('kubectl wait --for=condition=Ready pod/host --timeout=60s');
    deployment = await uidOf('deployment/web');
    expect(await cluster.stop('SIGINT')).toBe(0);
    expect(processesOf(cluster.home)).toEqual([]);
  });

  it('finds all objects as they were, and runs their pods again', async () => {
    await cluster.start();
    expect(cluster.block).toBe(block);
    expect(await uidOf('deployment/web')).toBe(deployment);
    await cluster.run('kubectl rollout status deployment/web --timeout=60s');
    await eventually(
      async () => {
        const pods = await cluster.run('kubectl get pods -A --no-headers');
        const rows = pods.trim().split('\n');
        expect(rows.filter((row) => !/ 1\/1 +Running /.test(row))).toEqual([]);
        expect(rows).toHaveLength(11);
      },
      { timeoutMs: 60_000 },
    );
    const ips = await cluster.run('kubectl get pods -l app=web -o jsonpath={..podIP}');
    for (const ip of ips.split(' ')) expect((await fetch(`http://${ip}/`)).status).toBe(200);
  });

  it('refuses to change what a cluster cannot change', async () => {
    await cluster.stop();
    const stderr = await cluster.refusal(orreryLine('up', '--etcd-members', '3'));
    expect(stderr).toContain(
      '--etcd-members 3: this cluster has 1; orrery etcd member add|remove changes that while it runs; start it without the flag, or with --fresh',
    );
  });

  it('starts empty with --fresh', async () => {
    await cluster.start('--fresh');
    expect(await cluster.run('kubectl get deploy,pods -o name')).toBe('');
    expect(await cluster.run('kubectl get nodes --no-headers')).toMatch(
      /^(k8s-0\d +Ready .*\n){3}$/,
    );
  });

  it('clears away what a supervisor killed by force left behind', async () => {
    const supervisor = Number(readFileSync(join(cluster.dir, 'run', 'orrery.pid'), 'utf8'));
    const before = processesOf(cluster.home);
    process.kill(supervisor, 'SIGKILL');
    await eventually(() => !cluster.isRunning);
    await cluster.start();
    const now = processesOf(cluster.home);
    expect(before.filter((line) => now.includes(line))).toEqual([]);
    expect(await cluster.run('kubectl get nodes -o name')).toContain('node/k8s-03');
  });
});

describe('what orrery up refuses', () => {
  const home = newHome();
  afterAll(() => {
    rmSync(home, { recursive: true, force: true });
  });
  const up = async (flags: string[], env: Record<string, string> = {}): Promise<CommandResult> => {
    const result = await shell(orreryLine('up', ...flags), {
      env: { ORRERY_HOME: home, ...env },
      allowFailure: true,
      timeoutMs: 90_000,
    });
    expect(processesOf(home)).toEqual([]);
    return result;
  };

  function fakeEtcd(name: string, script: string): string {
    const file = join(home, name);
    mkdirSync(home, { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file;
  }

  it.each([
    { name: 'an unknown flag', flags: ['--colour', 'red'], want: ['--colour', 'unknown'] },
    { name: 'a number that is none', flags: ['--nodes', 'many'], want: ['--nodes'] },
    { name: 'too many nodes', flags: ['--nodes', '1000'], want: ['--nodes'] },
    { name: 'an even number of members', flags: ['--etcd-members', '2'], want: ['1, 3'] },
    {
      name: 'a name that is no name',
      flags: ['--name', 'My Cluster'],
      want: ['lower-case letters'],
    },
    { name: 'a block out of range', flags: ['--block', '300'], want: ['--block'] },
    {
      name: 'a flag for no component',
      flags: ['--extra-arg', 'kube-cooker.v=4'],
      want: ['unknown component kube-cooker', 'kube-apiserver'],
    },
    {
      name: 'a flag that its component does not know',
      flags: ['--extra-arg', 'kube-apiserver.colour=red'],
      want: ['kube-apiserver refused to start', 'colour'],
    },
    {
      name: 'an etcd that is not there',
      flags: ['--etcd-bin', '/nowhere/etcd'],
      want: ['/nowhere/etcd'],
    },
  ])('refuses $name', async ({ flags, want }) => {
    const { code, stderr } = await up(flags);
    expect(code).not.toBe(0);
    for (const part of want) expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('refuses an etcd that is too old, and a program that is no etcd', async () => {
    const old = fakeEtcd('etcd-old', 'echo "etcd Version: 3.2.1"');
    const { code, stderr } = await up(['--etcd-bin', old]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/3\.2\.1/);
    expect(stderr).toContain(old);
    const none = fakeEtcd('etcd-none', 'echo hello');
    expect((await up(['--etcd-bin', none])).stderr).toContain(none);
  });

  it('names the port that something else has', async () => {
    const block = 249;
    const squatter = createServer().listen(6443, `127.${block}.0.1`);
    await once(squatter, 'listening');
    try {
      const { code, stderr } = await up(['--block', String(block), '--fresh']);
      expect(code).not.toBe(0);
      expect(stderr).toContain(`127.${block}.0.1:6443`);
      expect(stderr).toMatch(/in use/);
    } finally {
      squatter.close();
    }
  });

  it('tells how to use it', async () => {
    expect((await shell(orreryLine('help'))).stdout).toContain('orrery up       run a cluster');
    expect((await shell(orreryLine('version'))).stdout).toBe('v1.36.4+orrery\n');
    const unknown = await shell(orreryLine('fly'), { allowFailure: true });
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain('unknown command fly');
    const ps = await shell(orreryLine('ps'), { env: { ORRERY_HOME: home }, allowFailure: true });
    expect(ps.code).not.toBe(0);
    expect(ps.stderr).toMatch(/not running|no cluster/);
  });
});
