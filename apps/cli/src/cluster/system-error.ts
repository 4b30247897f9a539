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
  EISDIR: (path) => `${path} must be a file, not a folder; remove it, or start with --fresh`,
  ENAMETOOLONG: (path) => `${path} is too long a path; set ORRERY_HOME to a shorter one`,
};

/** An error of the operating system in words that name the file and what to do; any other error as it is. */
export function inWords(error: unknown, dir: string): unknown {
  if (!(error instanceof Error) || error instanceof ConfigError) return error;
  const { code, path = dir } = error as NodeJS.ErrnoException;
  const say = code === undefined ? undefined : MESSAGES[code];
  return say ? new ConfigError(say(path), { cause: error }) : error;
}
