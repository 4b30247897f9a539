import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  EtcdClient,
  EtcdStorage,
  findEtcd,
  memberCommand,
  startManagedEtcd,
} from '@orrery/storage';
import type { ManagedEtcd, MemberAddress } from '@orrery/storage';
import { freeAddress, podValue } from '@orrery/testkit';

const NO_ENV = { PATH: '/nowhere' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'orrery-managed-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A stand-in for an etcd binary, which only reports a version. */
function fakeEtcd(path: string, version: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "etcd Version: ${version}"\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('findEtcd()', () => {
  it('takes the path that is given, before all else', async () => {
    const given = fakeEtcd(join(folder, 'given/etcd'), '3.6.1');
    const onPath = fakeEtcd(join(folder, 'bin/etcd'), '3.5.0');
    const options = { cacheDir: join(folder, 'cache'), allowInstall: false };
    expect(
      await findEtcd({ ...options, env: { ORRERY_ETCD_BIN: given, PATH: dirname(onPath) } }),
    ).toEqual({ path: given, version: '3.6.1', source: 'given' });
    expect(await findEtcd({ ...options, env: { PATH: `/nowhere:${dirname(onPath)}` } })).toEqual({
      path: onPath,
      version: '3.5.0',
      source: 'path',
    });
  });

  it('takes the cached one when there is none on the path', async () => {
    const cached = fakeEtcd(join(folder, 'cache/etcd'), '3.4.23');
    const found = await findEtcd({ cacheDir: dirname(cached), allowInstall: false, env: NO_ENV });
    expect(found).toEqual({ path: cached, version: '3.4.23', source: 'cache' });
  });

  it.each([
    { name: 'too old', version: '3.3.27' },
    { name: 'not known yet', version: '4.0.0' },
  ])('refuses a version by name: $name', async ({ version }) => {
    const path = fakeEtcd(join(folder, 'etcd'), version);
    const finding = findEtcd({ path, cacheDir: folder, allowInstall: false, env: NO_ENV });
    await expect(finding).rejects.toMatchObject({
      code: 'version',
      message: expect.stringContaining(`etcd ${version}, which is not supported`),
    });
  });

  it('says what to do when nothing is found and nothing may be installed', async () => {
    const finding = findEtcd({ cacheDir: folder, allowInstall: false, env: NO_ENV });
    await expect(finding).rejects.toMatchObject({
      code: 'notFound',
      message: expect.stringContaining('--etcd-bin or ORRERY_ETCD_BIN'),
    });
  });

  it('says so when a given path is no etcd', async () => {
    const finding = findEtcd({ path: '/bin/true', cacheDir: folder, allowInstall: false });
    await expect(finding).rejects.toMatchObject({ code: 'version' });
  });

  it('installs the package of the distribution as root, and says that it does', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const script = `#!/bin/sh\necho "$@" > ${folder}/asked\nprintf '#!/bin/sh\\necho "etcd Version: 3.4.23"\\n' > ${bin}/etcd\n/bin/chmod +x ${bin}/etcd\n`;
    writeFileSync(join(bin, 'apt-get'), script, { mode: 0o755 });
    const told: string[] = [];
    const found = await findEtcd({
      cacheDir: join(folder, 'cache'),
      allowInstall: true,
      isRoot: true,
      env: { PATH: bin },
      onProgress: (what) => told.push(what),
    });
    expect(found).toMatchObject({ source: 'package', path: join(bin, 'etcd') });
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain('install -y');
    expect(told).toEqual(['installing etcd: apt-get install -y etcd-server']);
  });
});

describe('findEtcd(), downloading', () => {
  let server: Server;
  let base: string;
  const files = new Map<string, Buffer>();

  beforeAll(async () => {
    server = createServer((request, response) => {
      const body = files.get(request.url ?? '');
      response.writeHead(body ? 200 : 404).end(body);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A release as etcd-io publishes it, of this platform. */
  function publish(version: string, tamper = false): void {
    const arch = process.arch === 'x64' ? 'amd64' : process.arch;
    const name = `etcd-v${version}-${process.platform}-${arch}`;
    fakeEtcd(join(folder, name, 'etcd'), version);
    execFileSync('tar', ['-czf', `${name}.tar.gz`, name], { cwd: folder });
    const bytes = readFileSync(join(folder, `${name}.tar.gz`));
    const sum = createHash('sha256')
      .update(tamper ? 'other' : bytes)
      .digest('hex');
    files.set(`/v${version}/${name}.tar.gz`, bytes);
    files.set(`/v${version}/SHA256SUMS`, Buffer.from(`${sum}  ${name}.tar.gz\n`));
  }

  const options = (version: string) => ({
    cacheDir: join(folder, 'cache'),
    allowInstall: true,
    isRoot: false,
    env: { PATH: '/nowhere' },
    fetchUrlBase: base,
    etcdVersion: version,
  });

  it('keeps a release whose checksum is right', async () => {
    publish('3.5.21');
    const told: string[] = [];
    const found = await findEtcd({ ...options('3.5.21'), onProgress: (what) => told.push(what) });
    expect(found).toEqual({
      path: join(folder, 'cache/etcd'),
      version: '3.5.21',
      source: 'download',
    });
    expect(told[0]).toContain('downloading http://127.0.0.1');
    expect(readdirSync(join(folder, 'cache'))).toEqual(['etcd']);
    expect((await findEtcd(options('3.5.21'))).source).toBe('cache');
  });

  it('does not use a release whose checksum is wrong', async () => {
    publish('3.5.20', true);
    await expect(findEtcd(options('3.5.20'))).rejects.toThrow('it is not used');
    expect(existsSync(join(folder, 'cache/etcd'))).toBe(false);
  });

  it('names the address that does not answer, and what to do', async () => {
    await expect(findEtcd(options('3.5.19'))).rejects.toMatchObject({
      code: 'notFound',
      message: expect.stringMatching(
        /3\.5\.19.*could not be downloaded: HTTP 404.*ORRERY_ETCD_BIN/,
      ),
    });
  });
});

describe('startManagedEtcd()', () => {
  let binary: string;
  let running: ManagedEtcd | undefined;

  beforeAll(async () => {
    ({ path: binary } = await findEtcd({ cacheDir: '/nowhere', allowInstall: false }));
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  async function address(name: string): Promise<MemberAddress> {
    const [client, peer] = [await freeAddress(), await freeAddress()];
    return {
      name,
      dataDir: join(folder, name),
      clientUrl: `http://${client.host}:${client.port}`,
      peerUrl: `http://${peer.host}:${peer.port}`,
    };
  }

  it('serves, keeps its data over a stop, and serves again', async () => {
    const members = [await address('k8s-01')];
    const key = '/registry/pods/ns1/a';
    running = await startManagedEtcd({ binary, members });
    await running.ready();
    expect(running.pids).toHaveLength(1);
    const client = new EtcdClient({ endpoints: running.endpoints });
    await new EtcdStorage({ client }).create(key, podValue('a'));
    client.close();
    await running.stop();
    running = await startManagedEtcd({ binary, members });
    await running.ready();
    const again = new EtcdClient({ endpoints: running.endpoints });
    const entry = await new EtcdStorage({ client: again }).get(key, {
      freshness: { kind: 'consistent' },
    });
    expect(entry?.object.metadata.name).toBe('a');
    again.close();
  }, 30_000);

  it('starts three members that form one cluster', async () => {
    const members = await Promise.all(['a', 'b', 'c'].map(address));
    running = await startManagedEtcd({ binary, members, heartbeatMs: 20, electionMs: 200 });
    await running.ready();
    expect(new Set(running.pids).size).toBe(3);
  }, 30_000);

  it('says which address is taken', async () => {
    const first = await address('first');
    running = await startManagedEtcd({ binary, members: [first] });
    await running.ready();
    const second = { ...(await address('second')), clientUrl: first.clientUrl };
    await expect(startManagedEtcd({ binary, members: [second] })).rejects.toMatchObject({
      code: 'portInUse',
      message: expect.stringContaining(
        `another program listens on ${new URL(first.clientUrl).host}`,
      ),
    });
  }, 30_000);

  it('says so when the data is damaged', async () => {
    const member = await address('damaged');
    running = await startManagedEtcd({ binary, members: [member] });
    await running.ready();
    await running.stop();
    writeFileSync(join(member.dataDir, 'member/snap/db'), Buffer.alloc(32_768, 'x'));
    running = await startManagedEtcd({ binary, members: [member] });
    await expect(running.ready()).rejects.toMatchObject({
      code: 'corruptData',
      message: expect.stringContaining(member.dataDir),
    });
  }, 30_000);

  it('says so when the binary is gone', async () => {
    running = await startManagedEtcd({
      binary: join(folder, 'gone'),
      members: [await address('a')],
    });
    await expect(running.ready()).rejects.toMatchObject({ code: 'exited' });
  });
});

describe('memberCommand()', () => {
  const member = {
    binary: '/usr/bin/etcd',
    name: 'a',
    dataDir: '/d',
    clientUrl: 'http://c',
    peerUrl: 'http://p',
  };

  it('times a single member fast and a cluster as upstream does', () => {
    expect(memberCommand(member).args).toEqual(
      expect.arrayContaining([
        '--heartbeat-interval=10',
        '--election-timeout=100',
        '--initial-cluster=a=http://p',
      ]),
    );
    const cluster = [
      { name: 'a', peerUrl: 'http://p' },
      { name: 'b', peerUrl: 'http://q' },
    ];
    expect(memberCommand({ ...member, cluster }).args).toEqual(
      expect.arrayContaining([
        '--heartbeat-interval=100',
        '--election-timeout=1000',
        '--initial-cluster=a=http://p,b=http://q',
      ]),
    );
  });

  it('keeps settings of another etcd away', () => {
    const { env } = memberCommand({ ...member, env: { ETCD_NAME: 'other', HOME: '/root' } });
    expect(env['ETCD_NAME']).toBeUndefined();
    expect(env['HOME']).toBe('/root');
  });
});
