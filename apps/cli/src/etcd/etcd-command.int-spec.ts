import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EtcdClient } from '@orrery/storage';
import { startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { etcd as command } from './etcd-command.js';

describe('orrery etcd --endpoints', () => {
  let etcd: TestEtcd;

  beforeAll(async () => {
    etcd = await startEtcd({ members: 3, extraArgs: ['--quota-backend-bytes=2097152'] });
  }, 30_000);
  afterAll(() => etcd.stop());

  async function run(...words: string[]): Promise<string> {
    const printed: string[] = [];
    await command([...words, `--endpoints=${etcd.endpoints.join(',')}`], (text) => {
      printed.push(text);
    });
    return printed.join('\n');
  }

  const json = async (...words: string[]): Promise<unknown> =>
    JSON.parse(await run(...words, '-o', 'json'));

  it('shows each member in a table as etcdctl does, and all of it in JSON', async () => {
    const table = (await run('status')).split('\n');
    expect(table[1]).toMatch(/^\| +ENDPOINT +\| +ID +\| VERSION \| DB SIZE \|/);
    expect(table.slice(3, 6).filter((row) => /\| +true \| +false \|/.test(row))).toHaveLength(1);
    const rows = (await json('status')) as { id: string; endpoint: string }[];
    expect(rows.map(({ endpoint }) => endpoint)).toEqual(etcd.endpoints);
    const members = (await json('members')) as { id: string; name: string }[];
    expect(members.map(({ name }) => name)).toEqual(['m1', 'm2', 'm3']);
    expect(new Set(members.map(({ id }) => id))).toEqual(new Set(rows.map(({ id }) => id)));
    for (const { id } of members) expect(await run('members')).toContain(`| ${id.padStart(16)} |`);
  });

  it('names a member that does not answer, and shows the others', async () => {
    await etcd.members[1]?.kill();
    const rows = (await json('status')) as { problem?: string }[];
    expect(rows.map(({ problem }) => problem !== undefined)).toEqual([false, true, false]);
    await etcd.members[1]?.start();
  });

  it('mends a full etcd: compact, defrag, and each member’s alarm disarmed', async () => {
    const client = new EtcdClient({ endpoints: etcd.endpoints });
    const { kv } = client.member().unary.library;
    const key = Buffer.from('/full');
    const put = (): Promise<unknown> => kv.put({ key, value: Buffer.alloc(100_000, 'x') });
    const filling = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) await put();
    };
    await expect(filling()).rejects.toThrow(/database space exceeded/);
    expect(await run('alarms')).toMatch(/^memberID:[0-9a-f]+ alarm:NOSPACE/);
    expect(await run('compact')).toMatch(/^compacted revision \d+$/);
    const defragmented = (await run('defrag')).split('\n');
    expect(defragmented).toEqual(
      etcd.endpoints.map((each) => `Finished defragmenting etcd member[${each}]`),
    );
    expect(await run('alarms', 'disarm')).toContain('disarmed memberID:');
    expect(await run('alarms', 'list')).toBe('no alarms');
    await put();
    client.close();
  }, 30_000);

  it.each([
    { words: ['bogus'], says: 'orrery etcd bogus: unknown command; see orrery etcd help' },
    { words: ['alarms', 'arm'], says: 'orrery etcd alarms arm: list or disarm' },
    { words: ['compact', '-1'], says: '"orrery etcd" does not take any arguments, got ["-1"]' },
    { words: ['compact', 'all'], says: 'all is no revision: a whole number above 0 is' },
    { words: ['compact', '999999999'], says: 'revision 999999999 lies in the future' },
    {
      words: ['snapshot', 'save'],
      says: 'orrery etcd snapshot save FILE, or snapshot restore FILE',
    },
    { words: ['snapshot', 'save', '/no/such/folder/x'], says: 'ENOENT' },
    { words: ['member', 'add'], says: 'is for the etcd of a running cluster, not for --endpoints' },
    { words: ['member', 'grow'], says: 'orrery etcd member add, remove or replace' },
    { words: ['status', '-o', 'xml'], says: '--output must be one of' },
    { words: ['status', '--cert=a'], says: '--cert and --key go together' },
    { words: ['status', '--user=root'], says: '--user and --password-file go together' },
    { words: ['status', '--cacert=/none'], says: '--cacert /none: cannot be read (ENOENT)' },
  ])('refuses in one line: $words', async ({ words, says }) => {
    const error = await run(...words).then(
      () => new Error('was accepted'),
      (thrown: Error) => thrown,
    );
    expect(error.message).toContain(says);
    expect([error.name, error.message.split('\n').length]).toEqual(['ConfigError', 1]);
  });

  it('says so when nobody answers, and when there is no such cluster', async () => {
    const print = (): void => undefined;
    await expect(command(['status', '--endpoints=http://127.222.9.9:2379'], print)).rejects.toThrow(
      'no etcd member could be reached',
    );
    await expect(command(['members', '--endpoints=etcd:2379'], print)).rejects.toThrow(
      'must be http(s)://host:port',
    );
    await expect(command(['status', '--name=never-was'], print)).rejects.toThrow(
      /there is no cluster "never-was" here/,
    );
  });
});
