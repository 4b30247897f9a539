import { describe, expect, it } from '@jest/globals';
import { internalForm } from './internal-form.js';
import { jsonDiff } from './json-diff.js';
import { unifiedDiff } from './unified-diff.js';

const lines = (text: string): string[] => text.split(' ').filter((line) => line !== '');

describe('a unified diff', () => {
  // As Python's difflib prints them.
  it.each([
    ['nothing changed', 'a b', 'a b', ''],
    ['a line more', 'a b c', 'a b x c', '@@ -1,3 +1,4 @@\n a\n b\n+x\n c\n'],
    ['a line less at the end', 'a b c', 'a b', '@@ -1,3 +1,2 @@\n a\n b\n-c\n'],
    ['all of it', 'a', 'b', '@@ -1 +1 @@\n-a\n+b\n'],
    [
      'two places far from each other',
      '1 2 3 4 5 6 7 8 9 10 11 12',
      'x 2 3 4 5 6 7 8 9 10 11 y',
      '@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -9,4 +9,4 @@\n 9\n 10\n 11\n-12\n+y\n',
    ],
    [
      'two places beside each other',
      '1 2 3 4 5 6 7 8',
      'x 2 3 4 5 6 7 y',
      '@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n',
    ],
    [
      'the longest block first',
      'a b a b c a b',
      'a b c a b a b',
      '@@ -1,7 +1,7 @@\n-a\n-b\n a\n b\n c\n a\n b\n+a\n+b\n',
    ],
    ['to nothing', 'a b', '', '@@ -1,2 +0,0 @@\n-a\n-b\n'],
    ['from nothing', '', 'a b', '@@ -0,0 +1,2 @@\n+a\n+b\n'],
  ])('of %s', (_what, a, b, diff) => {
    expect(unifiedDiff(lines(a), lines(b))).toBe(diff);
  });

  it('of texts that would take too long is one change between what is the same', () => {
    const many = (from: string): string[] =>
      Array.from({ length: 5000 }, (_, i) => from + (i % 90));
    const diff = unifiedDiff(
      ['same', ...many('a'), 'end'],
      ['same', ...many('b').reverse(), 'end'],
    );
    expect(diff.split('\n')[0]).toBe('@@ -1,5002 +1,5002 @@');
    const worst = Array.from({ length: 4000 }, (_, i) => `x${i % 40}`);
    expect(unifiedDiff(worst, [...worst].reverse()).match(/^@@/gm)).toHaveLength(1);
  });
});

describe('what findings show of a struct', () => {
  it('has all fields of the internal type in their order, zeros included', () => {
    const context = { privileged: true, capabilities: { add: ['CAP_SYS_ADMIN'] }, runAsUser: 0 };
    expect(JSON.stringify(internalForm(context, 'core/v1.SecurityContext'))).toBe(
      '{"Capabilities":{"Add":["CAP_SYS_ADMIN"],"Drop":null},"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":0,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":null,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}',
    );
  });

  it('has embedded structs among the fields, and metadata by its names in the API', () => {
    const template = {
      metadata: { labels: { b: '1', a: '2' } },
      spec: { volumes: [{ name: 'v' }] },
    };
    const shown = internalForm(template, 'core/v1.PodTemplateSpec');
    expect(Object.keys(shown)).toEqual(['labels', 'Spec']);
    expect(JSON.stringify(shown['labels'])).toBe('{"a":"2","b":"1"}');
    const { Volumes } = shown['Spec'] as { Volumes: object[] };
    expect(Object.keys(Volumes[0] ?? {}).slice(0, 3)).toEqual(['Name', 'HostPath', 'EmptyDir']);
    expect(Volumes[0]).toMatchObject({ Name: 'v', CSI: null, Image: null });
  });

  it('has what the internal pod keeps in its security context', () => {
    const shown = internalForm({ hostNetwork: true, containers: [] }, 'core/v1.PodSpec');
    expect(shown['SecurityContext']).toMatchObject({
      HostNetwork: true,
      HostPID: false,
      FSGroup: null,
    });
    expect(shown).not.toHaveProperty('HostNetwork');
    expect(internalForm({ containers: [] }, 'core/v1.PodSpec')['SecurityContext']).toBeNull();
  });

  it('is what is compared of a spec that must not change', () => {
    const shown = (spec: object): unknown =>
      internalForm(spec, 'core/v1.PersistentVolumeClaimSpec');
    const before = { accessModes: ['ReadWriteOnce'], storageClassName: 'a' };
    expect(jsonDiff(before, { ...before, storageClassName: 'b&c' }, shown)).toBe(
      [
        '@@ -8,7 +8,7 @@',
        '   "Requests": null',
        '  },',
        '  "VolumeName": "",',
        '- "StorageClassName": "a",',
        '+ "StorageClassName": "b\\u0026c",',
        '  "VolumeMode": null,',
        '  "DataSource": null,',
        '  "DataSourceRef": null,',
        '',
      ].join('\n'),
    );
  });
});
