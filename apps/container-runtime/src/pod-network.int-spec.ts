import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { connectCri } from '@orrery/cri';
import type { CriClient } from '@orrery/cri';
import { serveRuntime } from './app.js';
import { RuntimeOptions } from './options.js';
import { eventually } from '../test/runtime-fixture.js';

/** Gives a pod one address on a device of its own; nothing outside its namespace changes. */
const PLUGIN = `#!/bin/sh
dir=$(dirname "$0")
pod=$(basename "$CNI_NETNS")
case $CNI_COMMAND in
VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}' ;;
ADD)
  cat > "$dir/add.json"
  ip -n "$pod" link add eth0 type veth peer name eth1 && ip -n "$pod" addr add 10.9.0.2/24 dev eth0 && ip -n "$pod" link set eth0 up
  echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"},{"address":"fd00:9::2/64"}]}' ;;
CHECK) exit 0 ;;
DEL) echo "$CNI_NETNS" >> "$dir/deleted" ;;
esac
`;
const CONFIGURATION = {
  cniVersion: '1.0.0',
  name: 'test',
  plugins: [{ type: 'fake', capabilities: { portMappings: true, bandwidth: true } }],
};

/** A run that was killed leaves its namespaces to the machine, not to the next run. */
const PREFIX = `orrery-spec-${process.pid}-`;

function whyNot(): string {
  try {
    execFileSync('unshare', ['--net', 'ip', 'link'], { stdio: 'pipe' });
    return process.getuid?.() === 0 ? '' : 'it needs root';
  } catch (error) {
    return `no network namespaces here: ${String(error)}`;
  }
}

const why = whyNot();
if (why !== '')
  describe('pods in network namespaces', () => {
    it(`are not tried here: ${why}`, () => {
      expect(why).not.toBe('');
    });
  });
else
  describe('pods in network namespaces', () => {
    const stopping = new AbortController();
    let folder: string;
    let client: CriClient;
    let running: Promise<void>;
    let sandbox = '';

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'netns-'));
      writeFileSync(join(folder, 'fake'), PLUGIN);
      chmodSync(join(folder, 'fake'), 0o755);
      mkdirSync(join(folder, 'net.d'));
      const options = Object.assign(new RuntimeOptions(), {
        listen: `unix://${folder}/cri.sock`,
        root: join(folder, 'runtime'),
        nodeIp: '127.236.0.9',
        network: 'netns',
        cniConfDir: join(folder, 'net.d'),
        cniBinDir: `/nonexistent,${folder}`,
        netnsPrefix: PREFIX,
      });
      running = serveRuntime(
        options,
        { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger },
        stopping.signal,
      );
      client = connectCri(`unix://${folder}/cri.sock`);
      await Promise.race([running, eventually(() => client.runtime.version({}))]);
    });

    afterAll(async () => {
      stopping.abort();
      await running;
      client.close();
      rmSync(folder, { recursive: true });
    });

    const networkReady = async (): Promise<unknown> =>
      (await client.runtime.status({})).status?.conditions.find(
        ({ type }) => type === 'NetworkReady',
      );
    const run = (): Promise<{ podSandboxId: string }> =>
      client.runtime.runPodSandbox({
        config: {
          metadata: { name: 'web', namespace: 'shop', uid: 'u1', attempt: 0 },
          hostname: 'web',
          annotations: { 'kubernetes.io/ingress-bandwidth': '10M' },
          portMappings: [{ protocol: 'TCP', containerPort: 80, hostPort: 8080, hostIp: '' }],
        },
      });
    const namespaces = (): string =>
      execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.startsWith(PREFIX))
        .join();

    it('are refused, and the network is not ready, until there is a configuration', async () => {
      expect(await networkReady()).toMatchObject({
        status: false,
        reason: 'NetworkPluginNotReady',
        message: 'Network plugin returns error: cni plugin not initialized',
      });
      await expect(run()).rejects.toThrow(/failed to setup network.*cni plugin not initialized/);
      writeFileSync(join(folder, 'net.d', '10-test.conflist'), JSON.stringify(CONFIGURATION));
      expect(await networkReady()).toMatchObject({ status: true });
      expect(namespaces()).toBe('');
    });

    it('have the addresses that the plugin answered, IPv4 first', async () => {
      sandbox = (await run()).podSandboxId;
      const { status } = await client.runtime.podSandboxStatus({ podSandboxId: sandbox });
      expect(status?.network).toMatchObject({
        ip: '10.9.0.2',
        additionalIps: [{ ip: 'fd00:9::2' }],
      });
    });

    it('tell the plugin of host ports and bandwidth', () => {
      expect(JSON.parse(readFileSync(join(folder, 'add.json'), 'utf8'))).toMatchObject({
        name: 'test',
        runtimeConfig: {
          portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '' }],
          bandwidth: { ingressRate: 10_000_000 },
        },
      });
    });

    it('run their commands inside', async () => {
      await client.images.pullImage({ image: { image: 'busybox' } });
      const { containerId } = await client.runtime.createContainer({
        podSandboxId: sandbox,
        config: {
          metadata: { name: 'c', attempt: 0 },
          image: { image: 'busybox' },
          command: ['sleep', '100'],
        },
        sandboxConfig: { logDirectory: folder },
      });
      await client.runtime.startContainer({ containerId });
      const answer = await client.runtime.execSync({
        containerId,
        cmd: ['cat', '/proc/net/fib_trie'],
        timeout: 10,
      });
      expect(Buffer.from(answer.stderr).toString()).toBe('');
      expect(Buffer.from(answer.stdout).toString()).toContain('10.9.0.2');
    });

    it('give their namespace back', async () => {
      expect(namespaces()).not.toBe('');
      await client.runtime.removePodSandbox({ podSandboxId: sandbox });
      expect(namespaces()).toBe('');
      expect(readFileSync(join(folder, 'deleted'), 'utf8')).toContain(`/run/netns/${PREFIX}`);
    });
  });
