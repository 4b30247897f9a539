import type { StatusCode } from './status.js';

/** Extension points in upstream's words, and its extensions of PreFilter and Score. */
export type Point =
  | 'PreFilter'
  | 'PreFilterExtensionAddPod'
  | 'PreFilterExtensionRemovePod'
  | 'Filter'
  | 'PostFilter'
  | 'PreScore'
  | 'Score'
  | 'ScoreExtensionNormalize'
  | 'Reserve'
  | 'Unreserve'
  | 'Permit'
  | 'PreBind'
  | 'Bind'
  | 'PostBind';

/** What of a profile is measured; times in seconds but for `now`. */
export interface PluginMeters {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** All plugins at an extension point, for one pod. */
  point(point: Point, code: StatusCode, profile: string, seconds: number): void;
  /** One plugin at an extension point, for one pod and at most one node. */
  plugin(plugin: string, point: Point, code: StatusCode, seconds: number): void;
  /** What counts that a plugin is asked; to be kept by the caller. */
  evaluations(plugin: string, point: Point, profile: string): () => void;
  hinted(plugin: string, event: string, helps: boolean, seconds: number): void;
  permitted(result: string, seconds: number): void;
}

/** For frameworks that nobody measures. */
export const unmeasured: PluginMeters = {
  now: () => 0,
  point: () => undefined,
  plugin: () => undefined,
  evaluations: () => () => undefined,
  hinted: () => undefined,
  permitted: () => undefined,
};
