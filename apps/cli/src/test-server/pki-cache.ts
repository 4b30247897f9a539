import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createClusterPki } from '@orrery/pki';
import type { ClusterPkiOptions } from '@orrery/pki';
import { cacheFolder } from './cache-folder.js';

const KUBECONFIGS = ['admin.conf', 'controller-manager.conf', 'scheduler.conf'];
const PARTS = ['pki', 'nodes', ...KUBECONFIGS];
/** A cluster without nodes needs none of theirs. */
const PARTS_WITHOUT_NODES = PARTS.filter((part) => part !== 'nodes');

/** Certificates are never written in place; kubeconfigs are, by their users. */
function placeFile(from: string, to: string): void {
  if (!from.endsWith('.conf'))
    try {
      linkSync(from, to);
      return;
    } catch {
      // Another file system, or one without links.
    }
  copyFileSync(from, to);
}

function place(from: string, to: string): void {
  if (!statSync(from).isDirectory()) {
    placeFile(from, to);
    return;
  }
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(from)) place(join(from, name), join(to, name));
}

/** Certificates that are there are links to the same files; of a kubeconfig its text is compared, as its users may write to it. */
function isThere(part: string, from: string, to: string): boolean {
  const path = join(to, part);
  if (!existsSync(path)) return false;
  if (part === 'pki') return true;
  return part.endsWith('.conf') && readFileSync(path).equals(readFileSync(join(from, part)));
}

function copyParts(from: string, to: string, parts: readonly string[] = PARTS): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const part of parts)
    if (existsSync(join(from, part)) && !isThere(part, from, to))
      place(join(from, part), join(to, part));
}

/** What this process has seen to be whole and valid, by block, and until when it need not look again. */
const seen = new Map<number, { readonly nodes: number; readonly until: number }>();
const LOOK_AGAIN_MS = 3_600_000;

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
  const nodes = options.nodes.length;
  if (known) copyParts(cached, options.dir, nodes > 0 ? PARTS : PARTS_WITHOUT_NODES);
  const last = seen.get(block);
  if (known && last && last.nodes >= nodes && options.now < last.until) return;
  const confs = options.nodes.map(({ name }) => join(options.dir, 'nodes', name, 'kubelet.conf'));
  let isComplete = known && confs.every((conf) => existsSync(conf));
  try {
    await createClusterPki(options);
  } catch (error) {
    if (!known) throw error;
    for (const part of PARTS) rmSync(join(options.dir, part), { recursive: true, force: true });
    await createClusterPki(options);
    isComplete = false;
  }
  mkdirSync(dirname(cached), { recursive: true, mode: 0o700 });
  if (!isComplete) keep(options.dir, cached);
  seen.set(block, { nodes, until: options.now + LOOK_AGAIN_MS });
}
