import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CNI_VERSIONS } from './cni.js';
import type { NetworkConfig, PluginConfig } from './cni.js';

const EXTENSIONS = /\.(conf|conflist|json)$/;
/** Spec 1.0, "Network configuration": names are used in paths. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPlugin = (value: unknown): value is PluginConfig =>
  isObject(value) && typeof value['type'] === 'string' && value['type'] !== '';

/** Decodes a configuration list, or one plugin alone (`.conf`). Throws an Error that says what is wrong. */
export function parseNetworkConfig(text: string): NetworkConfig {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('is not a JSON object');
  const { name, cniVersion = '0.2.0', plugins, disableCheck } = value;
  if (typeof name !== 'string' || !NAME.test(name))
    throw new Error(`invalid network name ${JSON.stringify(name)}`);
  if (typeof cniVersion !== 'string' || !CNI_VERSIONS.includes(cniVersion))
    throw new Error(
      `cniVersion ${JSON.stringify(cniVersion)} is not one of ${CNI_VERSIONS.join(', ')}`,
    );
  const list: unknown = plugins ?? [value];
  if (!Array.isArray(list) || list.length === 0) throw new Error('no plugins in list');
  if (!list.every(isPlugin)) throw new Error('a plugin has no type');
  return {
    name,
    cniVersion,
    disableCheck: disableCheck === true || disableCheck === 'true',
    plugins: list,
  };
}

/** What a folder of configurations holds: the first valid one by file name, and what is wrong with those before it. */
export interface FoundNetwork {
  readonly file?: string;
  readonly config?: NetworkConfig;
  readonly problems: readonly string[];
}

/** Reads the folder as every runtime does: in the order of names, the first usable file wins. */
export function findNetworkConfig(folder: string): FoundNetwork {
  let names: string[];
  try {
    names = readdirSync(folder)
      .filter((name) => EXTENSIONS.test(name))
      .sort();
  } catch {
    return { problems: [] };
  }
  const problems: string[] = [];
  for (const name of names) {
    const file = join(folder, name);
    try {
      return { file, config: parseNetworkConfig(readFileSync(file, 'utf8')), problems };
    } catch (error) {
      problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { problems };
}
