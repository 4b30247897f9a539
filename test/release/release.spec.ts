import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isLater, release, releaseNotes } from '../../scripts/release.mjs';

const CHANGELOG = '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Forks.\n';
const DATE = '2026-11-21';

describe('release()', () => {
  let folder = '';
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
  const json = (path: string): unknown => JSON.parse(read(path));
  const put = (path: string, value: unknown): void => {
    const text = typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`;
    writeFileSync(join(folder, path), text);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-release-'));
    mkdirSync(join(folder, 'packages', 'testing'), { recursive: true });
    put('package.json', { name: 'orrery-workspace', version: '0.1.0' });
    put('package-lock.json', { version: '0.1.0', packages: { '': { version: '0.1.0' } } });
    put('packages/testing/package.json', {
      version: '0.1.0',
      dependencies: { orrery: '0.1.0', yaml: '2.0.0' },
    });
    put('CHANGELOG.md', CHANGELOG);
    git('init', '--quiet');
    git('config', 'user.name', 'tester');
    git('config', 'user.email', 'tester@example.org');
    git('add', '.');
    git('commit', '--quiet', '--message', 'first');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('puts the version everywhere, in one commit with a tag', () => {
    expect(release(folder, '0.2.0', DATE)).toBe('v0.2.0');
    expect(json('package.json')).toMatchObject({ version: '0.2.0' });
    expect(json('package-lock.json')).toEqual({
      version: '0.2.0',
      packages: { '': { version: '0.2.0' } },
    });
    expect(json('packages/testing/package.json')).toEqual({
      version: '0.2.0',
      dependencies: { orrery: '0.2.0', yaml: '2.0.0' },
    });
    expect(read('CHANGELOG.md')).toContain(`## [0.2.0] - ${DATE}`);
    expect(git('status', '--porcelain')).toBe('');
    expect(git('log', '-1', '--format=%s')).toBe('release 0.2.0');
    expect(git('tag', '--points-at', 'HEAD')).toBe('v0.2.0');
  });

  it.each<{ name: string; version: string; prepare?: () => void; want: string }>([
    { name: 'what is no version', version: '1.2', want: 'MAJOR.MINOR.PATCH' },
    {
      name: 'changes that are not committed',
      version: '0.2.0',
      prepare: () => {
        put('CHANGELOG.md', `${CHANGELOG}- More.\n`);
      },
      want: 'commit or remove first what is changed:\nM CHANGELOG.md',
    },
    {
      name: 'a version that has been released',
      version: '0.1.0',
      prepare: () => {
        git('tag', 'v0.1.0');
      },
      want: 'v0.1.0 has been released',
    },
    {
      name: 'an earlier version',
      version: '0.0.9',
      prepare: () => {
        git('tag', 'v0.1.0');
      },
      want: '0.0.9 is not later than 0.1.0',
    },
    {
      name: 'nothing to tell',
      version: '0.2.0',
      prepare: () => {
        put('CHANGELOG.md', '## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n- All.\n');
        git('commit', '--quiet', '--all', '--message', 'second');
      },
      want: 'says nothing under "## [Unreleased]"',
    },
  ])('refuses $name and changes nothing', ({ version, prepare, want }) => {
    prepare?.();
    const before = git('rev-parse', 'HEAD') + git('status', '--porcelain');
    expect(() => release(folder, version, DATE)).toThrow(want);
    expect(git('rev-parse', 'HEAD') + git('status', '--porcelain')).toBe(before);
  });
});

describe('releaseNotes()', () => {
  it('keeps what was released before below the new part', () => {
    const before = `${CHANGELOG}\n## [0.1.0] - 2026-01-01\n\n- All.\n`;
    expect(releaseNotes(before, '0.2.0', DATE)).toBe(
      `# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - ${DATE}\n\n### Added\n\n- Forks.\n\n## [0.1.0] - 2026-01-01\n\n- All.\n`,
    );
  });
});

describe('isLater()', () => {
  it.each([
    { next: '0.2.0', now: '0.1.9', want: true },
    { next: '0.10.0', now: '0.9.0', want: true },
    { next: '0.1.0', now: '0.1.0', want: false },
    { next: '1.0.0', now: '1.0.0-rc.1', want: true },
    { next: '1.0.0-rc.1', now: '1.0.0', want: false },
    { next: '1.0.0-rc.10', now: '1.0.0-rc.9', want: true },
  ])('$next after $now: $want', ({ next, now, want }) => {
    expect(isLater(next, now)).toBe(want);
  });
});
