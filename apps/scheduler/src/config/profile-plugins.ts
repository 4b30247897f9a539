import { ConfigError } from '@orrery/component';
import { EXTENSION_POINTS, METHODS } from '../framework/extension-points.js';
import type { ExtensionPoint, PluginSets, WeightedPlugin } from '../framework/extension-points.js';
import type { Plugin, PluginEntry } from '../framework/plugin.js';
import type { ProfileOptions } from './options.js';
import type { PluginReference, PluginSet } from './scheduler-configuration.js';

interface Enabled {
  readonly name: string;
  readonly weight: number | undefined;
}

/** Plugins of upstream that are refused where a configuration names them. */
const NOT_MODELLED = ['GangScheduling', 'DeferredPodScheduling'];

const title = (point: ExtensionPoint): string =>
  `${point.slice(0, 1).toUpperCase()}${point.slice(1)}Plugin`;

/** The default list with what the file disables taken out and what it enables put in its place or at the end. */
function mergeMultiPoint(all: readonly PluginEntry[], own: PluginSet | undefined): Enabled[] {
  const disabled = new Set(own?.disabled?.map(({ name }) => name));
  const enabled = new Map((own?.enabled ?? []).map((each) => [each.name, each]));
  const merged: Enabled[] = [];
  for (const { name, weight } of all) {
    if (disabled.has('*') || disabled.has(name)) continue;
    const changed = enabled.get(name);
    enabled.delete(name);
    merged.push({ name, weight: changed ? changed.weight || 1 : weight });
  }
  return [...merged, ...[...enabled.values()].map(({ name, weight }) => ({ name, weight }))];
}

/** k8s scheduler/framework/runtime/framework.go:expandMultiPointPlugins. */
function expand(multiPoint: readonly Enabled[], own: PluginSet | undefined): Enabled[] {
  const specific = (own?.enabled ?? []).map(({ name, weight }: PluginReference) => ({
    name,
    weight,
  }));
  const disabled = new Set(own?.disabled?.map(({ name }) => name));
  if (disabled.has('*')) return specific;
  const inMulti = new Map(multiPoint.map((each) => [each.name, each]));
  const overrides = specific
    .filter(({ name }) => inMulti.has(name))
    .map(({ name, weight }) => ({ name, weight: weight || inMulti.get(name)?.weight }));
  const named = new Set(specific.map(({ name }) => name));
  return [
    ...overrides,
    ...multiPoint.filter(({ name }) => !named.has(name) && !disabled.has(name)),
    ...specific.filter(({ name }) => !inMulti.has(name)),
  ];
}

/** Builds a plugin once, whatever number of points it is at. */
export type CreatePlugin = (entry: PluginEntry, args: unknown) => Plugin;

/** Which plugins a profile runs at each point, in order. Throws ConfigError in upstream's words. */
export function choosePlugins(
  all: readonly PluginEntry[],
  { schedulerName, plugins, pluginConfig }: ProfileOptions,
  create: CreatePlugin,
): PluginSets {
  const built = new Map<string, Plugin>();
  const find = (name: string, kind: string): Plugin => {
    const known = built.get(name);
    if (known) return known;
    const entry = all.find((each) => each.name === name);
    if (!entry) throw new ConfigError(`${kind} ${JSON.stringify(name)} does not exist`);
    const plugin = create(entry, pluginConfig.get(name));
    built.set(name, plugin);
    return plugin;
  };
  const own = Object.values(plugins ?? {}) as readonly (PluginSet | undefined)[];
  const enabled = own.flatMap((set) => set?.enabled?.map(({ name }) => name) ?? []);
  for (const name of [...enabled, ...pluginConfig.keys()])
    if (NOT_MODELLED.includes(name)) throw new ConfigError(`plugin ${name} is not modelled`);
  for (const name of pluginConfig.keys()) find(name, 'plugin');
  const multiPoint = mergeMultiPoint(all, plugins?.multiPoint);
  const specific = (point: ExtensionPoint): ReadonlySet<string> =>
    new Set(plugins?.[point]?.enabled?.map(({ name }) => name));
  const setOf = (point: ExtensionPoint): readonly WeightedPlugin[] => {
    const named = specific(point);
    return expand(multiPoint, plugins?.[point]).flatMap(({ name, weight }) => {
      const plugin = find(name, title(point));
      if (plugin[METHODS[point]]) return [{ plugin, weight: weight || 1 }];
      if (named.has(name))
        throw new ConfigError(
          `plugin ${JSON.stringify(name)} does not extend ${title(point)} plugin`,
        );
      return [];
    });
  };
  const sets = Object.fromEntries(
    EXTENSION_POINTS.map((point) => [point, setOf(point)]),
  ) as PluginSets;
  const profile = `for profile with scheduler name ${JSON.stringify(schedulerName)}`;
  if (sets.queueSort.length !== 1)
    throw new ConfigError(
      `only one queue sort plugin required ${profile}, but got ${sets.queueSort.length}`,
    );
  if (sets.bind.length === 0)
    throw new ConfigError(`at least one bind plugin is needed ${profile}`);
  return sets;
}
