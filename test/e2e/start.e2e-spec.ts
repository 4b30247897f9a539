import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, eventually, orreryLine, processesOf, shell } from './harness/index.js';

const LONG_MS = 90_000;

describe('the life of a cluster', () => {
  const cluster = new Cluster();
  const up = (...flags: string[]) =>
    shell(orreryLine('up', ...flags), {
      allowFailure: true,
      timeoutMs: 40_000,
      env: { ORRERY_HOME: cluster.home },
    });

  beforeAll(async () => {
    await cluster.start();
    await cluster.kubectl(
      'create',
      'deployment',
      'job',
      '--image=busybox',
      '--',
      'sleep',
      '100000',
    );
    await cluster.kubectl('wait', '--for=condition=Available', 'deploy/job', '--timeout=20s');
  }, LONG_MS);
  afterAll(() => cluster.destroy(), LONG_MS);

  it('prints the lines to copy', () => {
    expect(cluster.output).toMatch(
      /export KUBECONFIG=\S+admin\.conf\n {2}kubectl get nodes.*\n.*Ctrl-C/,
    );
  });

  it(
    'is not started a second time, and not moved to the block of another',
    async () => {
      const again = await up();
      expect(again.code).not.toBe(0);
      expect(again.stderr).toMatch(
        /cluster "orrery" is already running \(process \d+\).*--name other/,
      );
      const beside = await up('--name', 'other', '--block', String(cluster.block));
      expect(beside.code).not.toBe(0);
      expect(beside.stderr).toMatch(/is in use by another cluster/);
      expect(existsSync(join(cluster.home, 'other'))).toBe(false);
    },
    LONG_MS,
  );

  it(
    'leaves no process, and all objects, when its supervisor and the runtime are killed',
    async () => {
      for (const name of ['nodes', 'orrery'])
        process.kill(
          Number(readFileSync(join(cluster.dir, 'run', `${name}.pid`), 'utf8')),
          'SIGKILL',
        );
      await cluster.stop();
      await eventually(
        () => {
          expect(processesOf(cluster.home)).toEqual([]);
        },
        { timeoutMs: 25_000 },
      );
      expect(readdirSync(join(cluster.dir, 'run')).filter((name) => name.endsWith('.pid'))).toEqual(
        [],
      );
      await cluster.start();
      const { stdout } = await cluster.kubectl('get', 'deploy', '-o', 'name');
      expect(stdout).toContain('deployment.apps/job');
      expect(await cluster.stop('SIGINT')).toBe(0);
    },
    LONG_MS,
  );

  it.each([
    {
      name: 'damaged etcd data',
      damage: ['etcd', 'etcd-1', 'member', 'snap', 'db'],
      says: /etcd etcd-1: the data in .* is damaged/,
    },
    { name: 'a garbled certificate', damage: ['pki', 'ca.crt'], says: /ca\.crt.*--fresh/s },
    { name: 'a cut-off cluster.json', damage: ['cluster.json'], says: /cluster\.json is not JSON/ },
  ])(
    'names $name and stops',
    async ({ damage, says }) => {
      const file = join(cluster.dir, ...damage);
      const before = readFileSync(file);
      writeFileSync(file, Buffer.alloc(32_768, 'x'));
      const refused = await up();
      expect(refused.stderr).toMatch(says);
      expect(refused.code).not.toBe(0);
      await eventually(() => {
        expect(processesOf(cluster.home)).toEqual([]);
      });
      rmSync(file);
      writeFileSync(file, before, { mode: 0o600 });
    },
    LONG_MS,
  );
});
