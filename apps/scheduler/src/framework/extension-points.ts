import type { Plugin } from './plugin.js';

/** The extension points in the order in which a pod passes them, with the method that a plugin has for each. */
export const METHODS = {
  preEnqueue: 'preEnqueue',
  queueSort: 'less',
  preFilter: 'preFilter',
  filter: 'filter',
  postFilter: 'postFilter',
  preScore: 'preScore',
  score: 'score',
  reserve: 'reserve',
  permit: 'permit',
  preBind: 'preBind',
  bind: 'bind',
  postBind: 'postBind',
} as const satisfies Readonly<Record<string, keyof Plugin>>;

export type ExtensionPoint = keyof typeof METHODS;

export const EXTENSION_POINTS = Object.keys(METHODS) as readonly ExtensionPoint[];

export interface WeightedPlugin {
  readonly plugin: Plugin;
  /** Of its score. */
  readonly weight: number;
}

/** Which plugins run at each point, in order. */
export type PluginSets = Readonly<Record<ExtensionPoint, readonly WeightedPlugin[]>>;

/** Every plugin at each point that it has a method for, in the order given. */
export function everywhere(plugins: readonly WeightedPlugin[]): PluginSets {
  const at = (point: ExtensionPoint): readonly WeightedPlugin[] =>
    plugins.filter(({ plugin }) => plugin[METHODS[point]] !== undefined);
  return Object.fromEntries(EXTENSION_POINTS.map((point) => [point, at(point)])) as PluginSets;
}
