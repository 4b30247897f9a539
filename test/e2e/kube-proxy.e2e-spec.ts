import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { reachablePort } from '@orrery/component';
import { eventually, useCluster } from './harness/index.js';
import { ask } from './traffic/http-load.js';

const REQUESTS = 60;

describe('kube-proxy', () => {
  const cluster = useCluster();
  let vip = '';
  let held: Socket;

  const out = async (line: string): Promise<string> => (await cluster.shell(line)).stdout.trim();
  const proxies = (): Promise<string> =>
    out('kubectl -n kube-system get pods -l k8s-app=kube-proxy -o name');
  const editMode = (mode: string): Promise<unknown> =>
    cluster.shell('kubectl -n kube-system edit configmap kube-proxy', {
      env: { KUBE_EDITOR: `sed -i 's/mode: .*/mode: ${mode}/'` },
    });
  /** Deletes the pod that runs on the node; the name of the one that follows. */
  const replace = async (node: string): Promise<string> => {
    const on = `-n kube-system get pods -l k8s-app=kube-proxy --field-selector=spec.nodeName=${node} -o name`;
    const before = await out(`kubectl ${on}`);
    await out(`kubectl -n kube-system delete ${before}`);
    return eventually(
      async () => {
        const after = await out(`kubectl ${on}`);
        expect(after).toMatch(/^pod\/kube-proxy-\w+$/);
        expect(after).not.toBe(before);
        return after;
      },
      { timeoutMs: 15_000 },
    );
  };
  const logOf = (pod: string): Promise<string> => out(`kubectl -n kube-system logs ${pod}`);

  /** One request on the connection that is held all the time. */
  const askHeld = async (): Promise<string> => {
    const answer = once(held, 'data');
    held.write('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    return String(((await answer) as [Buffer])[0]).split('\r\n')[0] ?? '';
  };

  beforeAll(async () => {
    await cluster.shell('kubectl create deployment web --image=nginx --replicas=3');
    await cluster.shell('kubectl expose deployment web --port=80');
    await cluster.shell('kubectl rollout status deployment web');
    await cluster.shell('kubectl -n kube-system rollout status daemonset kube-proxy');
    vip = await out(`kubectl get service web -o jsonpath='{.spec.clusterIP}'`);
    await eventually(() => ask(vip, reachablePort(80), 1), { timeoutMs: 10_000 });
    held = connect(reachablePort(80), vip);
    await once(held, 'connect');
  }, 60_000);

  afterAll(() => {
    held.destroy();
  });

  it('runs as one pod a node and says that it uses iptables', async () => {
    const pods = (await proxies()).split('\n');
    expect(pods).toHaveLength(3);
    await eventually(async () => {
      expect(await logOf(pods[0] ?? '')).toContain('Using iptables Proxier');
    });
  });

  it('chooses at random in mode iptables', async () => {
    const pods = await ask(vip, reachablePort(80), REQUESTS);
    expect(new Set(pods).size).toBe(3);
    const repeats = pods.filter((pod, i) => pod === pods[i - 1]).length;
    expect(repeats).toBeGreaterThan(0);
  });

  it('turns to exact round robin with mode ipvs, in a new process', async () => {
    expect(await askHeld()).toBe('HTTP/1.1 200 OK');
    await editMode('ipvs');
    const pod = await replace('k8s-02');
    await eventually(async () => expect(await logOf(pod)).toContain('Using ipvs Proxier'), {
      timeoutMs: 15_000,
    });
    const rotation = await eventually(
      async () => {
        const pods = await ask(vip, reachablePort(80), 6);
        expect(pods.slice(0, 3)).toEqual(pods.slice(3));
        expect(new Set(pods).size).toBe(3);
        return pods.slice(0, 3);
      },
      { timeoutMs: 10_000 },
    );
    const pods = await ask(vip, reachablePort(80), REQUESTS);
    expect(pods).toEqual(Array.from({ length: REQUESTS }, (_, i) => rotation[i % 3]));
  }, 60_000);

  it('drops no established connection by that', async () => {
    expect(await askHeld()).toBe('HTTP/1.1 200 OK');
  });

  it('takes another mode from the ConfigMap alone with --watch-config, and drops nothing', async () => {
    const command = '{.spec.template.spec.containers[0].command}';
    const words = JSON.parse(
      await out(`kubectl -n kube-system get daemonset kube-proxy -o jsonpath='${command}'`),
    ) as string[];
    const container = { name: 'kube-proxy', command: [...words, '--watch-config'] };
    const patch = JSON.stringify({ spec: { template: { spec: { containers: [container] } } } });
    await out(`kubectl -n kube-system patch daemonset kube-proxy -p '${patch}'`);
    await out('kubectl -n kube-system rollout status daemonset kube-proxy --timeout=60s');
    const pods = (await proxies()).split('\n');
    for (const mode of ['iptables', 'ipvs', 'iptables']) {
      await editMode(mode);
      for (const pod of pods)
        await eventually(
          async () => {
            const lines = (await logOf(pod)).split('\n').filter((line) => line.includes('Proxier'));
            expect(lines.at(-1)).toContain(`Using ${mode} Proxier`);
          },
          { timeoutMs: 30_000 },
        );
      expect(await askHeld()).toBe('HTTP/1.1 200 OK');
    }
    expect((await proxies()).split('\n')).toEqual(pods);
  }, 120_000);

  it('goes on while one dataplane process takes over from another, and loses no connection', async () => {
    let failed = 0;
    let served = 0;
    let isOver = false;
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver)
        await ask(vip, reachablePort(80), 1).then(
          () => (served += 1),
          () => (failed += 1),
        );
    });
    const said = (await cluster.orrery('proxy', 'handover')).stdout;
    expect(said).toMatch(/^dataplane: process \d+ has handed over to \d+; [1-9]\d* established/);
    const before = served;
    await eventually(() => expect(served).toBeGreaterThan(before + 20), { timeoutMs: 30_000 });
    isOver = true;
    await Promise.all(load);
    expect(failed).toBe(0);
    expect(await askHeld()).toBe('HTTP/1.1 200 OK');
    const answers = await ask(vip, reachablePort(80), 3);
    expect(answers).toHaveLength(3);
  }, 60_000);

  it('crashes with the name of the field that it does not like, and the rules stay', async () => {
    await editMode('userspace');
    const pod = await replace('k8s-03');
    await eventually(
      async () =>
        expect(await out(`kubectl -n kube-system get ${pod} --no-headers`)).toContain(
          'CrashLoopBackOff',
        ),
      { timeoutMs: 20_000 },
    );
    expect(await logOf(pod)).toMatch(/config\.conf: mode must be iptables, ipvs or nftables/);
    expect(await ask(vip, reachablePort(80), 3)).toHaveLength(3);
    expect(await askHeld()).toBe('HTTP/1.1 200 OK');
  }, 60_000);
});
