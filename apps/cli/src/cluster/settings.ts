import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import type { ClusterFiles } from './layout.js';

/** What a cluster must keep between two starts. */
export interface ClusterSettings {
  readonly block: number;
  readonly etcdMembers: number;
  readonly nodes: number;
}

function isSettings(value: unknown): value is ClusterSettings {
  const settings = value as Partial<ClusterSettings> | null;
  return [settings?.block, settings?.etcdMembers, settings?.nodes].every(Number.isInteger);
}

/** The settings of the cluster's last start; undefined for a new cluster. Throws ConfigError for a damaged file. */
export function readSettings(files: ClusterFiles): ClusterSettings | undefined {
  if (!existsSync(files.settings)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(files.settings, 'utf8'));
  } catch (error) {
    throw new ConfigError(`${files.settings}: not JSON; restore it, or start with --fresh`, {
      cause: error,
    });
  }
  if (isSettings(value)) return value;
  throw new ConfigError(
    `${files.settings}: block, etcdMembers and nodes must be whole numbers; restore it, or start with --fresh`,
  );
}

/** Replaces the file in one step, so that a crash leaves the old or the new one. */
export function writeSettings(files: ClusterFiles, settings: ClusterSettings): void {
  const next = `${files.settings}.new`;
  writeFileSync(next, `${JSON.stringify(settings, null, 2)}\n`);
  renameSync(next, files.settings);
}
