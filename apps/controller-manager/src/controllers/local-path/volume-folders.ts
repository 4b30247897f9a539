import { rm } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { Lister } from '@orrery/informers';
import type { Leftover } from './local-path.decide.js';

/** Removes the folders that volumes leave behind. */
export interface VolumeFolders {
  /** True when the folder is gone; false when that takes longer. */
  remove(volume: string, leftover: Leftover): Promise<boolean>;
}

/** For nodes whose files this process sees itself. */
export class OwnFolders implements VolumeFolders {
  async remove(_volume: string, { path }: Leftover): Promise<boolean> {
    await rm(path, { recursive: true, force: true });
    return true;
  }
}

export const HELPER_NAMESPACE = 'kube-system';
const PREFIX = 'helper-pod-delete-';

/** The volume that a helper pod cleans up after; undefined for other pods. */
export function volumeOfHelper({ metadata }: Pod): string | undefined {
  const { namespace, name = '' } = metadata;
  return namespace === HELPER_NAMESPACE && name.startsWith(PREFIX)
    ? name.slice(PREFIX.length)
    : undefined;
}

export class HelperFailed extends Error {
  override readonly name = 'HelperFailed';
}

/** For nodes elsewhere: a pod on the node removes the folder. */
export class HelperPods implements VolumeFolders {
  constructor(
    private readonly client: KubeClient,
    private readonly pods: Lister<Pod>,
    private readonly image: string,
  ) {}

  async remove(volume: string, leftover: Leftover): Promise<boolean> {
    const key = { namespace: HELPER_NAMESPACE, name: `${PREFIX}${volume}` };
    const pod = this.pods.get(key);
    if (!pod) {
      await this.#create(key.name, leftover);
      return false;
    }
    const { phase } = pod.status ?? {};
    if (phase !== 'Succeeded' && phase !== 'Failed') return false;
    await this.#delete(key);
    if (phase === 'Failed')
      throw new HelperFailed(`helper pod ${key.name} on node ${leftover.node} failed`);
    return true;
  }

  async #create(name: string, { node, path }: Leftover): Promise<void> {
    const pod: Pod = {
      metadata: { name, namespace: HELPER_NAMESPACE },
      spec: {
        nodeName: node,
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        tolerations: [{ operator: 'Exists' }],
        containers: [
          {
            name: 'helper-pod',
            image: this.image,
            command: ['rm', '-rf', posix.join('/data', posix.basename(path))],
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
        volumes: [
          { name: 'data', hostPath: { path: posix.dirname(path), type: 'DirectoryOrCreate' } },
        ],
      },
    };
    try {
      await this.client.resource(resources.pods).create(pod);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #delete(key: { readonly namespace: string; readonly name: string }): Promise<void> {
    try {
      await this.client.resource(resources.pods).delete(key);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
