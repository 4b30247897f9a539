import { readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { ProgramContext } from './program.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.htm': 'text/html',
  '.css': 'text/css',
  '.js': 'application/javascript',
  '.json': 'application/json',
  '.txt': 'text/plain',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.xml': 'text/xml',
};

export interface StaticFile {
  readonly body: Buffer;
  readonly type: string;
}

/**
 * A file below the volume mounted at `root`; `missing` when there is a volume but no such file, undefined when
 * nothing is mounted there.
 */
export function staticFile(
  context: ProgramContext,
  root: string,
  path: string,
): StaticFile | 'missing' | undefined {
  const folder = context.hostPathOf(root);
  if (folder === undefined) return undefined;
  try {
    const wanted = context.hostPathOf(join(root, path)) ?? join(folder, path);
    const file = statSync(wanted).isDirectory() ? join(wanted, 'index.html') : wanted;
    return { body: readFileSync(file), type: TYPES[extname(file)] ?? 'application/octet-stream' };
  } catch {
    return 'missing';
  }
}
