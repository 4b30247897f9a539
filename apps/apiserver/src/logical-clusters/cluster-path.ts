import type { LogicalClusterSource } from './logical-cluster.js';

/** Where a request for a logical cluster goes. */
export interface ClusterPath {
  readonly source: LogicalClusterSource;
  /** '' at the prefix itself. */
  readonly name: string;
  /** What stands in front of the cluster's own path: `/at/41`. */
  readonly basePath: string;
  /** The path inside: `/api/v1/pods`; '' when there is none. */
  readonly inside: string;
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

/** Splits `/<prefix>/<name>/<inside>`; undefined when the path belongs to none of the sources. */
export function clusterPath(
  sources: readonly LogicalClusterSource[],
  path: string,
): ClusterPath | undefined {
  const [, prefix = '', name = '', inside = ''] =
    /^\/+([^/]+)(?:\/+([^/]+)(\/.*)?)?\/*$/.exec(path) ?? [];
  const source = sources.find((one) => one.prefix === prefix);
  if (!source) return undefined;
  const basePath = inside === '' ? path.replace(/\/+$/, '') : path.slice(0, -inside.length);
  return { source, name: decoded(name), basePath, inside: inside === '/' ? '' : inside };
}
