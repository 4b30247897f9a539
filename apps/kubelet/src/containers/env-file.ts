import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileKeySelector } from '@orrery/api';
import type { MountedVolume } from '../volumes/claims.js';
import { isInside } from '../volumes/sub-path.js';
import { ContainerConfigError } from './downward.js';

const SPACE = /^[ \t]+/;

/**
 * The value of `key` in the text of an env file: `NAME='value'`, where the value may go on over lines; '' when it is not
 * there (k8s pkg/kubelet/util/env/env_util.go:ParseEnv).
 */
export function parseEnvFile(text: string, key: string): string {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').replace(SPACE, '');
    if (line === '' || line.startsWith('#')) continue;
    const [name, rest] = splitLine(line, at + 1);
    if (SPACE.test(rest)) {
      // As in a shell: what follows the space is not the value.
      if (name === key) return '';
      continue;
    }
    const { value, last } = quoted(lines, at, rest);
    if (name === key) return value;
    at = last;
  }
  return '';
}

const invalid = (where: string, why: string): Error =>
  new TypeError(`invalid environment variable format ${where}: ${why}`);

function splitLine(line: string, number: number): readonly [name: string, rest: string] {
  const equals = line.indexOf('=');
  if (equals < 0) throw invalid(`at line ${number}`, "missing '='");
  const name = line.slice(0, equals);
  if (name.trim() === '') throw invalid(`at line ${number}`, 'empty variable name');
  if (/[ \t]$/.test(name))
    throw invalid(`at line ${number}`, "whitespace before '=' is not allowed");
  return [name, line.slice(equals + 1)];
}

/** A value that begins in line `from` with `rest`, and the line in which it ends. */
function quoted(
  lines: readonly string[],
  from: number,
  rest: string,
): { readonly value: string; readonly last: number } {
  if (!rest.startsWith("'"))
    throw invalid(`at line ${from + 1}`, 'value must be enclosed in single quotes');
  let value = '';
  let part = rest.slice(1);
  for (let last = from; ; part = lines[++last] ?? '') {
    if (last >= lines.length)
      throw invalid(`starting at line ${from + 1}`, 'unclosed single quote');
    const end = part.indexOf("'");
    if (end < 0) {
      value += `${part}\n`;
      continue;
    }
    const after = part.slice(end + 1).replace(SPACE, '');
    if (after !== '' && !after.startsWith('#'))
      throw invalid(`at line ${last + 1}`, 'unexpected content after closing quote');
    return { value: value + part.slice(0, end), last };
  }
}

/** A variable from a file that another container has written; undefined = it is left out. */
export async function fileValue(
  { volumeName, path, key, optional }: FileKeySelector,
  volumes: ReadonlyMap<string, MountedVolume>,
): Promise<string | undefined> {
  const volume = volumes.get(volumeName);
  if (!volume)
    throw new ContainerConfigError(
      `cannot find the volume "${volumeName}" referenced by FileKeyRef`,
    );
  const file = join(volume.path, path);
  const value = await readInside(volume.path, file, key);
  if (value !== '') return value;
  if (optional) return undefined;
  throw new ContainerConfigError(`environment variable key "${key}" not found in file "${file}"`);
}

async function readInside(base: string, file: string, key: string): Promise<string> {
  try {
    if (!(await isInside(base, file))) throw new TypeError('the file is not in the volume');
    return parseEnvFile(await readFile(file, 'utf8'), key);
  } catch (cause) {
    throw new ContainerConfigError("couldn't parse env file", { cause });
  }
}
