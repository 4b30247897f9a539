import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '@orrery/component';

type Say = (path: string) => string;
const MESSAGES: Readonly<Record<string, Say>> = {
  ENOSPC: (path) => `the disk that holds ${path} is full; free some space and start again`,
  EDQUOT: (path) => `the disk quota for ${path} is used up; free some space and start again`,
  EACCES: (path) =>
    `${path} cannot be used by this user; give it to this user, or set ORRERY_HOME to a folder that can be written`,
  EPERM: (path) =>
    `${path} cannot be used by this user; give it to this user, or set ORRERY_HOME to a folder that can be written`,
  EROFS: (path) =>
    `${path} is on a read-only disk; set ORRERY_HOME to a folder that can be written`,
  ENOTDIR: (path) => `${path} must be a folder; set ORRERY_HOME to another one`,
  EEXIST: (path) => `${path} must be a folder; set ORRERY_HOME to another one`,
  ENOENT: (path) => `${path} cannot be made; set ORRERY_HOME to a folder that can be written`,
  ENAMETOOLONG: (path) => `${path} is too long a path; set ORRERY_HOME to a shorter one`,
};

/** An error of the operating system in words that name the file and what to do; any other error as it is. */
export function inWords(error: unknown, dir: string): unknown {
  if (!(error instanceof Error) || error instanceof ConfigError) return error;
  const { code, path = dir } = error as NodeJS.ErrnoException;
  const say = code === undefined ? undefined : MESSAGES[code];
  return say ? new ConfigError(say(path), { cause: error }) : error;
}

/** Makes a folder and those above it. (mkdirSync's own `recursive` never returns below a folder such as /proc.) */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}
