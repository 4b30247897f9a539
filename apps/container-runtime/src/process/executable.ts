import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether execvp(3) would find `name` on this host. */
export function executableExists(name: string, path: string): boolean {
  if (name === '') return false;
  if (name.includes('/')) return isExecutable(name);
  return path.split(':').some((folder) => isExecutable(join(folder || '.', name)));
}
