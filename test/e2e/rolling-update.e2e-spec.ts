import { describe, expect, it } from '@jest/globals';
import { reachablePort } from '@orrery/component';
import { eventually, useCluster } from './harness/index.js';
import { HttpLoad } from './traffic/http-load.js';

const OLD = 'nginx:1.7.9';
const NEW = 'nginx:1.9.1';

describe('a rolling update under constant traffic', () => {
  const cluster = useCluster();
  const out = async (line: string): Promise<string> =>
    (await cluster.shell(line, { timeoutMs: 60_000 })).stdout.trim();

  const start = async (): Promise<HttpLoad> =>
    new HttpLoad(
      await out(`kubectl get service web -o jsonpath='{.spec.clusterIP}'`),
      reachablePort(80),
    );
  /** Whatever was on its way has been answered: every answer that follows is of this image. */
  const onlyAnswers = async (load: HttpLoad, image: string): Promise<void> => {
    await eventually(
      async () => {
        const before = new Map(load.byImage);
        const { requests } = load;
        await eventually(() => load.requests > requests + 50);
        for (const [other, count] of load.byImage)
          if (other !== image) expect(count).toBe(before.get(other));
      },
      { timeoutMs: 15_000 },
    );
  };

  it('loses no request, and each answer names its version', async () => {
    await out(`kubectl create deployment web --image=${OLD} --replicas=3`);
    await out('kubectl expose deployment web --port=80');
    await out('kubectl rollout status deployment web');
    const load = await start();
    await eventually(() => (load.byImage.get(OLD) ?? 0) > 20, { timeoutMs: 15_000 });
    load.failures.length = 0;
    await out(`kubectl set image deployment/web nginx=${NEW}`);
    expect(await out('kubectl rollout status deployment web')).toMatch(
      /deployment "web" successfully rolled out$/,
    );
    await onlyAnswers(load, NEW);
    expect(await load.stop()).toEqual([]);
    expect([...load.byImage.keys()].sort()).toEqual([OLD, NEW].sort());
    expect(load.servers).toEqual(new Set(['nginx/1.7.9', 'nginx/1.9.1']));
  }, 90_000);

  it('goes back by rollout undo, losing no request either', async () => {
    const load = await start();
    expect(await out('kubectl rollout undo deployment web')).toBe(
      'deployment.apps/web rolled back',
    );
    await out('kubectl rollout status deployment web');
    await onlyAnswers(load, OLD);
    expect(await load.stop()).toEqual([]);
    expect(
      await out(
        `kubectl get rs -l app=web -o jsonpath='{range .items[*]}{.spec.template.spec.containers[0].image}={.status.readyReplicas} {end}'`,
      ),
    ).toBe(`${NEW}= ${OLD}=3`.split(' ').sort().join(' '));
    expect(await out('kubectl rollout history deployment web')).toMatch(/^2 .*\n3 /m);
  }, 90_000);
});
