import type { NodeInfo } from '../../cache/node-info.js';
import type { NodeInfos } from '../../cache/scheduler-cache.js';
import { MAX_SCORE } from '../../framework/normalize.js';
import type { PluginEntry } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';

const NAME = 'ImageLocality';
const MEBI = 1024 * 1024;
const LEAST = 23 * MEBI;
const MOST_EACH = 1000 * MEBI;

/** `nginx` is `nginx:latest`. */
export const withTag = (image: string): string =>
  image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;

/** By the bytes that need not be pulled, less for an image that few nodes have (k8s imagelocality/image_locality.go). */
export function scoreImages(pod: PodInfo, node: NodeInfo, nodes: NodeInfos): number {
  const { containers, initContainers = [] } = pod.pod.spec;
  const all = [...initContainers, ...containers];
  const total = nodes.list().length;
  let bytes = 0;
  for (const { image = '' } of all) {
    const name = withTag(image);
    const size = node.images.get(name) ?? 0;
    if (size > 0) bytes += Math.trunc(size * (nodes.nodesWithImage(name) / total));
  }
  const most = MOST_EACH * all.length;
  const clamped = Math.min(most, Math.max(LEAST, bytes));
  return Math.floor((MAX_SCORE * (clamped - LEAST)) / (most - LEAST));
}

/** Prefers nodes that have the images already. */
export const imageLocality: PluginEntry = {
  name: NAME,
  create: ({ nodes }) => ({
    name: NAME,
    local: true,
    score: (_state, pod, node) => scoreImages(pod, node, nodes),
  }),
};
