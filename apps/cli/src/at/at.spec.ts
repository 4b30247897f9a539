import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { KubeconfigFile, kubeconfigPath } from '../kubeconfig/kubeconfig-file.js';
import { parseAt } from './at-flags.js';
import { liveServer, noteOf, pastContext } from './past-context.js';

const folder = mkdtempSync(join(tmpdir(), 'orrery-at-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const CONFIG = `apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster: {server: "https://127.1.0.1:6443", certificate-authority-data: eA==}
contexts:
- name: admin@kubernetes
  context: {cluster: kubernetes, user: admin, namespace: mine}
current-context: admin@kubernetes
preferences: {colors: true}
users:
- name: admin
  user: {token: x}
`;

function newFile(): KubeconfigFile {
  const path = join(folder, 'config');
  writeFileSync(path, CONFIG);
  return KubeconfigFile.read(path);
}

describe('parseAt()', () => {
  it.each([
    { argv: ['-5m'], moment: '-5m' },
    { argv: ['41', '--use'], moment: '41' },
    { argv: ['--pin', '1h', '41'], moment: '41' },
    { argv: ['--pin=1h', '-90s'], moment: '-90s' },
    { argv: ['--use', 'now'], moment: 'now' },
    { argv: ['--list'], moment: '' },
    { argv: ['--rm', '41'], moment: '' },
  ])('reads $argv', ({ argv, moment }) => {
    expect(parseAt(argv).moment).toBe(moment);
  });

  it('needs a moment, and refuses what it does not know', () => {
    expect(() => parseAt([])).toThrow(/needs a moment/);
    expect(() => parseAt(['41', '--fast'])).toThrow(/unknown flag: --fast/);
    expect(() => parseAt(['41', '--pin=long'])).toThrow(/pin/);
  });
});

describe('a context of the past', () => {
  it('is the same user, namespace and authority at another path', () => {
    const file = newFile();
    const moment = {
      revision: 41,
      time: '2026-01-02T03:04:05Z',
      pin: { id: 'at-x', until: 'soon' },
    };
    const { context, cluster } = pastContext(file.find(), moment, '10');
    expect(context).toMatchObject({
      name: 'kubernetes@41@10x',
      context: { cluster: 'kubernetes@41@10x', user: 'admin', namespace: 'mine' },
    });
    expect(cluster.cluster).toEqual({
      server: 'https://127.1.0.1:6443/at/41@10x',
      'certificate-authority-data': 'eA==',
    });
    expect(noteOf(context)).toEqual({
      revision: 41,
      time: '2026-01-02T03:04:05Z',
      pin: 'at-x',
      until: 'soon',
    });
    file.put(context, cluster);
    file.use(context.name);
    const again = pastContext(file.find(), { revision: 7 }, '0');
    expect(again.context.name).toBe('kubernetes@7');
    expect(again.cluster.cluster.server).toBe('https://127.1.0.1:6443/at/7');
  });

  it.each([
    { server: 'https://h:6443', want: 'https://h:6443' },
    { server: 'https://h:6443/', want: 'https://h:6443' },
    { server: 'https://h/at/41', want: 'https://h' },
    { server: 'https://h/prefix/forks/x/', want: 'https://h/prefix' },
  ])('knows the live server behind $server', ({ server, want }) => {
    expect(liveServer(server)).toBe(want);
  });
});

describe(KubeconfigFile.name, () => {
  it('changes what it is told and keeps the rest', () => {
    const file = newFile();
    const { context, cluster } = pastContext(file.find(), { revision: 41 }, '0');
    file.put(context, cluster);
    file.write();
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    const written = KubeconfigFile.read(file.path);
    expect(written.contexts.map(({ name }) => name)).toEqual(['admin@kubernetes', 'kubernetes@41']);
    expect(readFileSync(file.path, 'utf8')).toContain('colors: true');
    written.use('kubernetes@41');
    written.remove(context);
    expect(written.current).toBe('');
    expect(() => written.find('kubernetes@41')).toThrow(/no context named/);
    expect(written.find('admin@kubernetes').cluster.name).toBe('kubernetes');
  });

  it('is looked for where kubectl looks', () => {
    expect(kubeconfigPath('/f', 'x', { KUBECONFIG: '/a:/b' })).toBe('/f');
    expect(kubeconfigPath('', 'x', { KUBECONFIG: ':/a:/b' })).toBe('/a');
    expect(kubeconfigPath('', 'x', { ORRERY_HOME: '/home' })).toBe('/home/x/admin.conf');
    expect(() => KubeconfigFile.read(join(folder, 'none'))).toThrow(/is not there/);
  });
});
