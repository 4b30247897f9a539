import { describe, expect, it } from '@jest/globals';
import { mountPointOf } from './propagation.js';

const TEXT = [
  '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
  '40 27 0:30 / /mnt rw shared:7 - tmpfs tmpfs rw',
  '41 40 0:31 / /mnt/a\\040b rw,nosuid master:7 - tmpfs tmpfs rw',
  '42 27 0:32 / /mnt rw - tmpfs tmpfs rw',
  '43 27 0:33 / /srv rw master:1 shared:9 - tmpfs tmpfs rw',
  '',
].join('\n');

describe(mountPointOf.name, () => {
  it.each<[string, string, string, boolean]>([
    ['the root where nothing else is', '/var/lib', '/', false],
    ['the last one at a place', '/mnt/x', '/mnt', false],
    ['the deepest, whose name is escaped', '/mnt/a b/c', '/mnt/a b', false],
    ['none whose name only begins so', '/srvice', '/', false],
    ['one that is shared beside other marks', '/srv', '/srv', true],
  ])('finds %s', (_name, path, point, isShared) => {
    expect(mountPointOf(path, TEXT)).toEqual({ path: point, isShared });
  });
});
