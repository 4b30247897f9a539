import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Replica } from './replica.js';

const etcd = useEtcd();
const open: Replica[] = [];

async function start(...flags: string[]): Promise<Replica> {
  const replica = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags,
  });
  open.push(replica);
  return replica;
}

afterEach(async () => {
  for (const replica of open.splice(0)) await replica.close();
});

const namesIn = (text: string): string[] =>
  [...text.matchAll(/^\[[+-]\](\S+)/gm)].map(([, name]) => name ?? '');

describe('health checks', () => {
  it("go by upstream's names, can be left out, and count", async () => {
    const server = await start('--authorization-mode=AlwaysAllow,RBAC', '--livez-grace-period=1s');
    const ready = await server.ask('/readyz?verbose');
    const names = namesIn(ready.text);
    expect(names).toEqual(
      expect.arrayContaining([
        'ping',
        'log',
        'etcd',
        'etcd-readiness',
        'informer-sync',
        'poststarthook/start-apiserver-admission-initializer',
        'poststarthook/generic-apiserver-start-informers',
        'poststarthook/priority-and-fairness-config-consumer',
        'poststarthook/priority-and-fairness-filter',
        'poststarthook/start-apiextensions-informers',
        'poststarthook/start-apiextensions-controllers',
        'poststarthook/crd-informer-synced',
        'poststarthook/start-system-namespaces-controller',
        'poststarthook/start-cluster-authentication-info-controller',
        'poststarthook/rbac/bootstrap-roles',
        'poststarthook/scheduling/bootstrap-system-priority-classes',
        'poststarthook/priority-and-fairness-config-producer',
        'poststarthook/bootstrap-controller',
        'poststarthook/start-legacy-token-tracking-controller',
        'poststarthook/start-kubernetes-service-cidr-controller',
        'poststarthook/start-kube-aggregator-informers',
        'poststarthook/apiservice-status-local-available-controller',
        'poststarthook/apiservice-status-remote-available-controller',
        'poststarthook/apiservice-registration-controller',
        'poststarthook/kube-apiserver-autoregistration',
        'autoregister-completion',
        'shutdown',
      ]),
    );
    expect(ready.headers['x-content-type-options']).toBe('nosniff');
    const live = namesIn((await server.ask('/livez?verbose')).text);
    expect(live).not.toContain('shutdown');
    expect(live).not.toContain('etcd-readiness');
    expect(live).toContain('autoregister-completion');
    const some = await server.ask('/readyz?verbose&exclude=etcd&exclude=nope&exclude=a');
    expect(some.text).toContain('[+]etcd excluded: ok\n');
    expect(some.text).toContain(
      'warn: some health checks cannot be excluded: no matches for "a","nope"\n',
    );
    expect((await server.ask('/readyz/poststarthook/rbac/bootstrap-roles')).text).toBe('ok');
    expect((await server.ask('/livez/etcd')).text).toBe('ok');
    expect((await server.ask('/livez/nope')).status).toBe(404);
    const { text } = await server.ask('/metrics');
    expect(text).toContain('kubernetes_healthcheck{name="etcd-readiness",type="readyz"} 1');
    expect(text).toMatch(
      /kubernetes_healthchecks_total\{name="ping",type="livez",status="success"\} [1-9]/,
    );
  }, 60_000);
});

describe('the end of a server', () => {
  it('is not ready, yet serves, while --shutdown-delay-duration lasts', async () => {
    const server = await start('--shutdown-delay-duration=1500ms');
    open.pop();
    const closing = server.close();
    await eventually(async () => {
      expect((await server.ask('/readyz/shutdown')).text).toContain('process is shutting down');
    });
    expect((await server.ask('/api/v1/namespaces/default')).status).toBe(200);
    expect((await server.ask('/livez')).status).toBe(200);
    await closing;
    await expect(server.ask('/livez')).rejects.toThrow(/ECONN|socket/);
  }, 60_000);

  it('turns requests away with 429 and ends watches one by one, where the flags say so', async () => {
    const server = await start(
      '--shutdown-send-retry-after=true',
      '--shutdown-watch-termination-grace-period=1500ms',
    );
    open.pop();
    const path = '/api/v1/namespaces/default/configmaps?watch=true';
    const watches = await Promise.all(Array.from({ length: 5 }, () => server.watch(path)));
    const closing = server.close();
    await eventually(async () => {
      const answer = await server.ask('/api/v1/namespaces');
      expect(answer.status).toBe(429);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.text).toBe('The apiserver is shutting down, please try again later.\n');
    });
    await expect(Promise.all(watches.map(({ ended }) => ended))).resolves.toEqual(
      watches.map(() => 'end'),
    );
    await closing;
  }, 60_000);
});

describe('headers of every answer', () => {
  it('let scripts of the origins that are named read, and tell browsers to stay with HTTPS', async () => {
    const server = await start(
      '--cors-allowed-origins=^https://console\\.example\\.com$',
      '--strict-transport-security-directives=max-age=600,includeSubDomains',
    );
    const origin = 'https://console.example.com';
    const read = await server.ask('/api/v1/namespaces/default', { headers: { origin } });
    expect(read.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'strict-transport-security': 'max-age=600; includeSubDomains',
    });
    const asked = await server.ask('/api/v1/namespaces', {
      method: 'OPTIONS',
      headers: { origin },
    });
    expect(asked.status).toBe(204);
    const foreign = await server.ask('/version', { headers: { origin: 'https://example.org' } });
    expect(foreign.headers['access-control-allow-origin']).toBeUndefined();
  }, 60_000);
});
