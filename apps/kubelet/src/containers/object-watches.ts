import type { ConfigMap, PersistentVolumeClaim, Pod, Secret } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import { SharedInformer } from '@orrery/informers';
import { isNotFound } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { podReferences } from './pod-references.js';
import type { ReferencedKind } from './pod-references.js';
import { uidOf } from './visit.js';

export interface ObjectWatchesParts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What these pods see changed. */
  changed(podUids: readonly string[]): void;
}

interface Watched {
  readonly informer: SharedInformer<KubeObject>;
  readonly stop: AbortController;
  readonly pods: Set<string>;
}

/** How long a read waits for a new watch before it asks directly. */
const SYNC_MS = 1_000;

/**
 * One watch for each ConfigMap, Secret and claim that a pod of this node names, for as long as one does: a node may
 * read no others (k8s pkg/kubelet/util/manager/watch_based_manager.go).
 */
export class ObjectWatches {
  private readonly watches = new Map<string, Watched>();
  private readonly keysOfPod = new Map<string, readonly string[]>();

  constructor(private readonly parts: ObjectWatchesParts) {}

  /** Follows what the pod names now; what it named before and nobody else does is let go. */
  retain(pod: Pod): void {
    const uid = uidOf(pod);
    const namespace = pod.metadata.namespace ?? '';
    const before = this.keysOfPod.get(uid) ?? [];
    const keys = podReferences(pod).map(({ kind, name }) => {
      const key = `${kind}/${namespace}/${name}`;
      this.watch(key, kind, namespace, name).pods.add(uid);
      return key;
    });
    this.keysOfPod.set(uid, keys);
    for (const key of before) if (!keys.includes(key)) this.drop(key, uid);
  }

  release(uid: string): void {
    for (const key of this.keysOfPod.get(uid) ?? []) this.drop(key, uid);
    this.keysOfPod.delete(uid);
  }

  stop(): void {
    for (const uid of this.keysOfPod.keys()) this.release(uid);
  }

  /** Open watches, for specs. */
  get size(): number {
    return this.watches.size;
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.read('configmaps', namespace, name) as Promise<ConfigMap | undefined>;
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.read('secrets', namespace, name) as Promise<Secret | undefined>;
  }

  claim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined> {
    const found = this.read('persistentvolumeclaims', namespace, name);
    return found as Promise<PersistentVolumeClaim | undefined>;
  }

  private async read(
    kind: ReferencedKind,
    namespace: string,
    name: string,
  ): Promise<KubeObject | undefined> {
    const watched = this.watches.get(`${kind}/${namespace}/${name}`);
    if (watched && (await this.synced(watched)))
      return watched.informer.lister.get({ namespace, name });
    try {
      return await this.parts.client.resource<KubeObject>(resources[kind]).get({ namespace, name });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  private async synced({ informer, stop }: Watched): Promise<boolean> {
    if (informer.hasSynced) return true;
    const late = new AbortController();
    const cancel = this.parts.clock.after(SYNC_MS, () => {
      late.abort();
    });
    await informer
      .waitForSync(AbortSignal.any([stop.signal, late.signal]))
      .catch(() => undefined)
      .finally(cancel);
    return informer.hasSynced;
  }

  private watch(key: string, kind: ReferencedKind, namespace: string, name: string): Watched {
    const known = this.watches.get(key);
    if (known) return known;
    const { client, clock, random, logger } = this.parts;
    const informer = new SharedInformer<KubeObject>({
      client: client.resource<KubeObject>(resources[kind]),
      scope: { namespace, fieldSelector: `metadata.name=${name}` },
      clock,
      random,
      logger: logger.child({ watches: key }),
    });
    const watched: Watched = { informer, stop: new AbortController(), pods: new Set() };
    this.watches.set(key, watched);
    const changed = (): void => {
      this.parts.changed([...watched.pods]);
    };
    informer.addHandler({
      onAdd: (_object, initial) => {
        if (!initial) changed();
      },
      onUpdate: changed,
    });
    void informer.start(watched.stop.signal);
    return watched;
  }

  private drop(key: string, uid: string): void {
    const watched = this.watches.get(key);
    watched?.pods.delete(uid);
    if (!watched || watched.pods.size > 0) return;
    watched.stop.abort();
    this.watches.delete(key);
  }
}
