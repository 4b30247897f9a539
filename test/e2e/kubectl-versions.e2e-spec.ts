// The commands of every day, with every kubectl on this machine.
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually, everyKubectl, useCluster } from './harness/index.js';

const cluster = useCluster();
const TESTDATA = join(import.meta.dirname, 'testdata');

describe.each(everyKubectl())('kubectl $version', ({ version }) => {
  const name = `web-${version.replace('.', '-')}`;
  const kubectl = (words: string): Promise<string> =>
    cluster.run(`kubectl ${words}`, { version, cwd: TESTDATA });

  it('creates, scales, updates and deletes a deployment', async () => {
    expect(await kubectl(`create deployment ${name} --image=nginx:1.7.9`)).toBe(
      `deployment.apps/${name} created\n`,
    );
    expect(await kubectl(`scale deployment ${name} --replicas=2`)).toMatch(/scaled\n$/);
    expect(await kubectl(`set image deployment/${name} nginx=nginx:1.9.1`)).toMatch(
      /image updated\n$/,
    );
    expect(await kubectl(`rollout status deployment/${name} --timeout=60s`)).toContain(
      'successfully rolled out',
    );
    expect(await kubectl(`get deployment ${name} -o wide`)).toMatch(/2\/2 .* nginx:1\.9\.1 /);
    expect(await kubectl(`describe deployment ${name}`)).toContain('2 available');
    expect(await kubectl(`delete deployment ${name}`)).toMatch(/deleted/);
  });

  it('applies a manifest twice, and works in its pod', async () => {
    const first = await kubectl('apply -f tools.yaml');
    expect(first).toContain('pod/tools created');
    expect(await kubectl('apply -f tools.yaml')).toContain('configmap/settings unchanged');
    expect(await kubectl('wait --for=condition=Ready pod/tools --timeout=60s')).toContain(
      'condition met',
    );
    await eventually(async () => {
      expect(await kubectl('logs tools -c main --tail=5')).toMatch(/line \d+\n/);
    });
    expect(await kubectl('exec tools -c main -- cat /etc/settings/LEVEL')).toBe('debug');
    expect(await kubectl('get pods -A -o wide')).toMatch(/^NAMESPACE +NAME +READY/);
    expect(await kubectl('describe pod tools')).toContain('Mounts:');
    expect(await kubectl('delete -f tools.yaml --now')).toContain('pod "tools" deleted');
  });

  it('explains, and asks what it may do', async () => {
    expect(await kubectl('explain pod.spec.nodeName')).toMatch(/FIELD: +nodeName <string>/);
    expect(await kubectl('auth can-i create pods')).toBe('yes\n');
    expect(await kubectl('api-resources --api-group=apps')).toMatch(/deployments +deploy /);
  });
});
