import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createClusterPki } from '@orrery/pki';
import type { ClusterPkiOptions } from '@orrery/pki';
import { cacheFolder } from './cache-folder.js';

const PARTS = ['pki', 'nodes', 'admin.conf', 'controller-manager.conf', 'scheduler.conf'];

function copyParts(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const part of PARTS)
    if (existsSync(join(from, part))) cpSync(join(from, part), join(to, part), { recursive: true });
}

/** Whole or not at all: a test that is killed here leaves no half of it. */
function keep(dir: string, cached: string): void {
  const fresh = `${cached}.new`;
  rmSync(fresh, { recursive: true, force: true });
  copyParts(dir, fresh);
  rmSync(cached, { recursive: true, force: true });
  renameSync(fresh, cached);
}

/**
 * The certificates of a test cluster. Making them costs more than the rest of the start, so those of an earlier
 * cluster in the same block serve again (who holds a block is alone with its folder); what is missing, damaged or about to expire is made anew.
 */
export async function testClusterPki(options: ClusterPkiOptions, block: number): Promise<void> {
  const cached = join(cacheFolder(), String(block));
  const known = existsSync(cached);
  if (known) copyParts(cached, options.dir);
  const nodes = options.nodes.map(({ name }) => join(options.dir, 'nodes', name, 'kubelet.conf'));
  const isComplete = known && nodes.every((conf) => existsSync(conf));
  try {
    await createClusterPki(options);
  } catch (error) {
    if (!known) throw error;
    for (const part of PARTS) rmSync(join(options.dir, part), { recursive: true, force: true });
    await createClusterPki(options);
    keep(options.dir, cached);
    return;
  }
  mkdirSync(dirname(cached), { recursive: true, mode: 0o700 });
  if (!isComplete) keep(options.dir, cached);
}
