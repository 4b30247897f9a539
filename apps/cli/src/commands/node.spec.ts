import { describe, expect, it } from '@jest/globals';
import { parseFlags } from '@orrery/component';
import { NodeFlags, hostAddresses } from './node-flags.js';
import { addressIn, identityOf, nodeInstances } from './node.js';

const HOST = { address: '172.18.0.5', cidr: '172.18.0.5/16' };
const IDENTITY = {
  name: 'node-1',
  rootDir: '/var/lib/orrery',
  credentials: '/cluster/nodes/node-1',
};
const parse = (...argv: string[]): NodeFlags =>
  parseFlags(NodeFlags, ['--name=node-1', '--credentials=/cluster/nodes/node-1', ...argv]);

const PLACE = { componentDir: '/opt/orrery/dist', server: 'https://192.0.2.7:6443' };

describe('nodeInstances()', () => {
  const argsOf = (
    app: string,
    flags = parse(),
    hosts: Parameters<typeof nodeInstances>[2] = [HOST],
  ): readonly string[] =>
    nodeInstances(flags, IDENTITY, hosts, PLACE).find((one) => one.app === app)?.args ?? [];

  it.each([
    { app: 'kubelet', name: 'has the name of the node', want: '--hostname-override=node-1' },
    { app: 'kubelet', name: 'serves on the address of the node', want: '--address=172.18.0.5' },
    {
      app: 'kubelet',
      name: 'speaks to the runtime beside it',
      want: '--container-runtime-endpoint=unix:///var/lib/orrery/cri.sock',
    },
    {
      app: 'container-runtime',
      name: 'finds the programs of the cluster',
      want: '--component-dir=/opt/orrery/dist',
    },
    {
      app: 'dataplane',
      name: 'may dial pods of the host network, and the API server',
      want: '--node-cidr=172.18.0.5/16,192.0.2.7',
    },
  ])('$app $name', ({ app, want }) => {
    expect(argsOf(app)).toContain(want);
  });

  it.each([
    { app: 'kubelet', want: '--node-ip=172.18.0.5,fd00:18::5' },
    { app: 'container-runtime', want: '--node-ip-2=fd00:18::5' },
    {
      app: 'dataplane',
      want: '--node-cidr=172.18.0.5/16,fd00:18::5/64,192.0.2.7',
    },
  ])('$app has both families of a node that has both', ({ app, want }) => {
    const flags = parse('--cluster-cidr=10.244.0.0/16,fd00:10:244::/56');
    const second = { address: 'fd00:18::5', cidr: 'fd00:18::5/64' };
    expect(argsOf(app, flags, [HOST, second])).toContain(want);
  });

  it('passes further flags to the component that they name', () => {
    const flags = parse(
      '--extra-arg=kubelet.max-pods=5',
      '--extra-arg=kubelet.node-labels=a=1,b=2',
    );
    expect(argsOf('kubelet', flags)).toContain('--max-pods=5');
    expect(argsOf('kubelet', flags)).toContain('--node-labels=a=1,b=2');
    expect(argsOf('dataplane', flags)).not.toContain('--max-pods=5');
  });
});

describe(identityOf.name, () => {
  it('keeps what a joining node gets for itself below its own folder', async () => {
    const flags = parseFlags(NodeFlags, [
      '--name=node-7',
      '--root-dir=/data',
      '--bootstrap-kubeconfig=/cluster/nodes/bootstrap-kubelet.conf',
    ]);
    expect(await identityOf(flags, '172.18.0.5')).toEqual({
      name: 'node-7',
      rootDir: '/data',
      credentials: '/data/credentials',
    });
  });

  it.each([
    { name: 'neither', argv: [] },
    { name: 'both', argv: ['--credentials=/a', '--bootstrap-kubeconfig=/b'] },
  ])('refuses $name of the two ways to be known', async ({ argv }) => {
    await expect(identityOf(parseFlags(NodeFlags, argv), '172.18.0.5')).rejects.toThrow(
      'needs --credentials or --bootstrap-kubeconfig',
    );
  });
});

describe(NodeFlags.name, () => {
  it.each([
    { argv: ['--network=ports'], want: '--network must be one of' },
    { argv: ['--cluster-cidr=10.244'], want: '--cluster-cidr' },
    { argv: ['--service-cidr=10.96.0.0/12,fd00'], want: '--service-cidr' },
    { argv: ['--node-ip=none'], want: '--node-ip' },
    { argv: ['--extra-arg=kube-apiserver.x=1'], want: '--extra-arg' },
  ])('refuses $argv by name', ({ argv, want }) => {
    expect(() => parse(...argv)).toThrow(want);
  });
});

describe(hostAddresses.name, () => {
  it.each([
    { asked: ['127.0.0.1', '127.0.0.2'], want: 'at most one address of each family' },
    { asked: ['192.0.2.77'], want: 'this machine does not have that address' },
  ])('refuses $asked', ({ asked, want }) => {
    expect(() => hostAddresses(asked)).toThrow(want);
  });
});

describe('addressIn()', () => {
  it.each([
    { url: 'https://192.0.2.7:6443', want: ['192.0.2.7'] },
    { url: 'https://[fd00::7]:6443', want: ['fd00::7'] },
    { url: 'https://control-plane:6443', want: [] },
  ])('$url: $want', ({ url, want }) => {
    expect(addressIn(url)).toEqual(want);
  });
});
