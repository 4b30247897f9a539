import { KUBERNETES_MAJOR, KUBERNETES_MINOR, KUBERNETES_VERSION } from '@orrery/component';

/** What /version answers. */
export const versionInfo = (): Record<string, string> => ({
  major: KUBERNETES_MAJOR,
  minor: KUBERNETES_MINOR,
  emulationMajor: KUBERNETES_MAJOR,
  emulationMinor: KUBERNETES_MINOR,
  minCompatibilityMajor: KUBERNETES_MAJOR,
  minCompatibilityMinor: String(Number(KUBERNETES_MINOR) - 1),
  gitVersion: KUBERNETES_VERSION,
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: `node${process.versions.node}`,
  compiler: 'v8',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
});
