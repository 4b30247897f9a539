import { createHash } from 'node:crypto';
import type { Node, Pod } from '@orrery/api';
import {
  CONFIG_HASH_ANNOTATION,
  CONFIG_MIRROR_ANNOTATION,
  CONFIG_SEEN_ANNOTATION,
  CONFIG_SOURCE_ANNOTATION,
} from '../runtime/labels.js';

/** A manifest that is no pod; `message` names what is wrong. */
export class ManifestError extends Error {}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The pod of a manifest as this node runs it: uid from the content, name with the node's, upstream's annotations
 * (k8s pkg/kubelet/config/common.go:applyDefaults).
 */
export function toStaticPod(manifest: unknown, path: string, nodeName: string, now: string): Pod {
  if (
    !isRecord(manifest) ||
    manifest['kind'] !== 'Pod' ||
    !isRecord(manifest['metadata']) ||
    !isRecord(manifest['spec'])
  )
    throw new ManifestError(`${path}: is not a Pod with metadata and spec`);
  const pod = structuredClone(manifest) as unknown as Pod;
  if (!pod.metadata.name || !Array.isArray(pod.spec.containers) || pod.spec.containers.length === 0)
    throw new ManifestError(`${path}: metadata.name and spec.containers are required`);
  const hash = createHash('md5').update(JSON.stringify({ nodeName, path, manifest })).digest('hex');
  const tolerations = pod.spec.tolerations ?? [];
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name: `${pod.metadata.name}-${nodeName.toLowerCase()}`,
      namespace: pod.metadata.namespace ?? 'default',
      uid: hash,
      annotations: {
        ...pod.metadata.annotations,
        [CONFIG_HASH_ANNOTATION]: hash,
        [CONFIG_SEEN_ANNOTATION]: now,
        [CONFIG_SOURCE_ANNOTATION]: 'file',
      },
    },
    spec: {
      ...pod.spec,
      nodeName,
      restartPolicy: pod.spec.restartPolicy ?? 'Always',
      tolerations: [...tolerations, { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: { phase: 'Pending' },
  };
}

/** The API object that shows a static pod; owned by the node, so that it goes with it. */
export function toMirrorPod(pod: Pod, node: Node): Pod {
  const annotations = pod.metadata.annotations ?? {};
  const owner = {
    apiVersion: 'v1',
    kind: 'Node',
    name: node.metadata.name ?? '',
    uid: node.metadata.uid ?? '',
    controller: true,
  };
  const { status: _, ...rest } = pod;
  const { uid: __, ...metadata } = pod.metadata;
  return {
    ...rest,
    metadata: {
      ...metadata,
      annotations: {
        ...annotations,
        [CONFIG_MIRROR_ANNOTATION]: annotations[CONFIG_HASH_ANNOTATION] ?? '',
      },
      ownerReferences: [owner],
    },
  };
}

/** Whether `mirror` shows this version of the pod. */
export function isMirrorOf(mirror: Pod, pod: Pod): boolean {
  return (
    mirror.metadata.annotations?.[CONFIG_MIRROR_ANNOTATION] ===
    pod.metadata.annotations?.[CONFIG_HASH_ANNOTATION]
  );
}
