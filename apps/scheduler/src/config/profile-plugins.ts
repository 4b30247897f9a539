import { ConfigError } from '@orrery/component';
import type { PluginEntry } from '../framework/plugin.js';
import type { ProfileOptions } from './options.js';

export interface ChosenPlugin {
  readonly entry: PluginEntry;
  readonly weight: number;
  readonly args: unknown;
}

/**
 * The plugins of a profile: the default list, less what is disabled, with the weights that `enabled` sets.
 * A plugin is on or off as a whole, whichever of its points the file names.
 */
export function choosePlugins(
  all: readonly PluginEntry[],
  { schedulerName, plugins, pluginConfig }: ProfileOptions,
): ChosenPlugin[] {
  const where = `profile ${schedulerName}`;
  const check = (name: string, field: string): void => {
    if (name !== '*' && !all.some((entry) => entry.name === name))
      throw new ConfigError(
        `${where}: ${field}: ${JSON.stringify(name)} is not one of ${all.map((e) => e.name).join(', ')}`,
      );
  };
  for (const name of pluginConfig.keys()) check(name, 'pluginConfig.name');
  const disabled = new Set<string>();
  const weights = new Map<string, number | undefined>();
  for (const [point, set] of Object.entries(plugins ?? {})) {
    for (const { name } of set?.disabled ?? []) {
      check(name, `plugins.${point}.disabled.name`);
      disabled.add(name);
    }
    for (const { name, weight } of set?.enabled ?? []) {
      check(name, `plugins.${point}.enabled.name`);
      weights.set(name, weight || weights.get(name));
    }
  }
  const isOn = ({ name }: PluginEntry): boolean =>
    weights.has(name) || !(disabled.has('*') || disabled.has(name));
  const chosen = all.filter(isOn).map((entry) => ({
    entry,
    weight: weights.get(entry.name) ?? entry.weight ?? 1,
    args: pluginConfig.get(entry.name),
  }));
  for (const required of ['PrioritySort', 'DefaultBinder'])
    if (!chosen.some(({ entry }) => entry.name === required))
      throw new ConfigError(`${where}: plugins: ${required} must stay enabled: there is no other`);
  return chosen;
}
