import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export interface KubectlBinary {
  /** Such as `1.32`. */
  readonly version: string;
  readonly path: string;
}

function minorOf(path: string): string | undefined {
  const { stdout } = spawnSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  const match = /"gitVersion": "v(\d+\.\d+)\./.exec(stdout);
  return match?.[1];
}

function onPath(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((dir) => join(dir, 'kubectl'))
    .find((path) => existsSync(path));
}

let first: KubectlBinary | undefined;

/** The kubectl that a user gets by typing its name. */
export function defaultKubectl(): KubectlBinary {
  return (first ??= findDefault());
}

function findDefault(): KubectlBinary {
  const path = onPath();
  const version = path === undefined ? undefined : minorOf(path);
  if (path === undefined || version === undefined)
    throw new Error(
      'no kubectl on PATH: install the package kubernetes-client, or put kubectl on PATH',
    );
  return { version, path };
}

/**
 * One kubectl for every minor version on this machine, oldest first: the one on PATH, those beside it (or beside what it
 * links to), and those in the folders of ORRERY_KUBECTL_DIRS.
 */
export function everyKubectl(): readonly KubectlBinary[] {
  return (found ??= findEvery());
}

let found: readonly KubectlBinary[] | undefined;

function findEvery(): KubectlBinary[] {
  const { path: typed, version: typedVersion } = defaultKubectl();
  const own = (process.env['ORRERY_KUBECTL_DIRS'] ?? '').split(delimiter).filter(Boolean);
  const folders = [dirname(typed), dirname(realpathSync(typed)), ...own];
  const paths = [...new Set(folders)]
    .filter((dir) => existsSync(dir))
    .flatMap((dir) =>
      readdirSync(dir)
        .filter(isKubectl)
        .map((name) => join(dir, name)),
    );
  const byVersion = new Map([[typedVersion, typed]]);
  for (const path of paths) {
    const version = minorOf(path);
    if (version !== undefined && !byVersion.has(version)) byVersion.set(version, path);
  }
  return [...byVersion]
    .map(([version, path]) => ({ version, path }))
    .sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}

const isKubectl = (name: string): boolean => /^kubectl(\.\d+\.\d+)?$/.test(name);

/** Whether the kubectl on PATH is of this minor version of Kubernetes 1, or younger. */
export const kubectlIsAtLeast = (minor: number): boolean =>
  Number(defaultKubectl().version.split('.')[1]) >= minor;
