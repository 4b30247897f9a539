import { readFileSync, statSync, statfsSync, writeFileSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';

const FLAGS = {
  fs_type: '',
  file_mode: '',
  file_perm: '',
  file_owner: '',
  new_file_0644: '',
  new_file_0666: '',
  new_file_0660: '',
  new_file_0777: '',
  file_content: '',
  file_content_in_loop: '',
  retry_time: 180,
  break_on_expected_content: true,
};

const TMPFS = 0x01021994;
const CONTENT = 'mount-tester new file\n';
const RETRY_MS = 2_000;

const TYPES: readonly (readonly [number, string])[] = [
  [0o040000, 'd'],
  [0o120000, 'L'],
  [0o010000, 'p'],
  [0o140000, 'S'],
  [0o060000, 'D'],
  [0o020000, 'Dc'],
];

/** The mode as Go's fs.FileMode prints it: `-rw-r--r--`, `dtrwxrwxrwx`. */
export function goMode(mode: number): string {
  const type = TYPES.find(([bits]) => (mode & 0o170000) === bits)?.[1] ?? '';
  const extra = [
    [0o4000, 'u'],
    [0o2000, 'g'],
    [0o1000, 't'],
  ]
    .filter(([bit]) => (mode & Number(bit)) !== 0)
    .map(([, letter]) => letter)
    .join('');
  const prefix = type + extra;
  const bits = Array.from('rwxrwxrwx', (letter, i) => ((mode >> (8 - i)) & 1 ? letter : '-'));
  return `${prefix === '' ? '-' : prefix}${bits.join('')}`;
}

/** What Go says of a failed system call. */
export function goError(call: string, path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const texts: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EROFS: 'read-only file system',
    EPERM: 'operation not permitted',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
  };
  return `${call} ${path}: ${texts[code] ?? code}`;
}

/** The checks of one run; each prints its line and gives false when it failed. */
class MountTest {
  constructor(private readonly host: Agnhost) {}

  private real(path: string): string {
    return join(this.host.root, path);
  }

  private attempt(path: string, call: string, failure: string, action: () => string): boolean {
    if (path === '') return true;
    try {
      this.host.print(action());
      return true;
    } catch (error) {
      this.host.print(`${failure}: ${goError(call, path, error)}\n`);
      return false;
    }
  }

  fsType(path: string): boolean {
    return this.attempt(path, 'statfs', `error from statfs("${path}")`, () => {
      const { type } = statfsSync(this.real(path));
      return `mount type of "${path}": ${type === TMPFS ? 'tmpfs' : type}\n`;
    });
  }

  stat(path: string, say: (stats: Stats) => string): boolean {
    return this.attempt(path, 'stat', `error from Stat("${path}")`, () =>
      say(statSync(this.real(path))),
    );
  }

  content(path: string): boolean {
    return this.attempt(path, 'open', `error reading file content for "${path}"`, () => {
      const text = readFileSync(this.real(path), 'utf8');
      return `content of file "${path}": ${text}\n`;
    });
  }

  newFile(path: string, mode: number): boolean {
    if (path === '') return true;
    return (
      this.attempt(path, 'open', `error writing new file "${path}"`, () => {
        writeFileSync(this.real(path), CONTENT, { mode });
        return '';
      }) && this.content(path)
    );
  }

  async contentInLoop(path: string, seconds: number, mayBreak: boolean): Promise<boolean> {
    if (path === '') return true;
    const { clock } = this.host;
    const end = clock.monotonic() + seconds * 1000;
    let ok = true;
    for (; clock.monotonic() < end; await clock.sleep(RETRY_MS))
      try {
        const text = readFileSync(this.real(path), 'utf8');
        ok = true;
        this.host.print(`content of file "${path}": ${text}\n`);
        if (mayBreak && text === CONTENT) return true;
        if (mayBreak) this.host.print(`Unexpected content. Expected: ${CONTENT}. Retrying`);
      } catch (error) {
        ok = false;
        this.host.print(`Error reading file ${path}: ${goError('open', path, error)}, retrying\n`);
      }
    return ok;
  }
}

/** k8s test/images/agnhost/mounttest: says what a volume's files are like; the order of the checks is part of it. */
export const mounttest: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, FLAGS);
  process.umask(0);
  const test = new MountTest(host);
  const results = [
    test.fsType(flags.fs_type),
    test.newFile(flags.new_file_0644, 0o644),
    test.newFile(flags.new_file_0666, 0o666),
    test.newFile(flags.new_file_0660, 0o660),
    test.newFile(flags.new_file_0777, 0o777),
    test.stat(
      flags.file_mode,
      ({ mode }) => `mode of file "${flags.file_mode}": ${goMode(mode)}\n`,
    ),
    test.stat(
      flags.file_perm,
      ({ mode }) => `perms of file "${flags.file_perm}": ${goMode(mode & 0o777)}\n`,
    ),
    test.stat(
      flags.file_owner,
      ({ uid, gid }) =>
        `owner UID of "${flags.file_owner}": ${uid}\nowner GID of "${flags.file_owner}": ${gid}\n`,
    ),
    test.content(flags.file_content),
    await test.contentInLoop(
      flags.file_content_in_loop,
      flags.retry_time,
      flags.break_on_expected_content,
    ),
  ];
  return results.every(Boolean) ? 0 : 1;
};
