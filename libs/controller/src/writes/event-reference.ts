import type { KubeObject, Reaction } from '@orrery/apimachinery';
import type { ObjectReference } from '@orrery/api';
import { currentReaction } from '@orrery/client';
import type { Clock } from '@orrery/component';

/** What an event is about. Unset fields are left out. */
export function toReference(object: KubeObject | ObjectReference): ObjectReference {
  if (!('metadata' in object)) return object;
  const { apiVersion, kind, metadata } = object as KubeObject;
  const { namespace, name, uid, resourceVersion } = metadata;
  const all = { kind, namespace, name, uid, apiVersion, resourceVersion };
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v)) as ObjectReference;
}

/** An event is about a state of its object: that is what it reacts to, where the reference tells. */
export function reactionOf({ resourceVersion }: ObjectReference, component: string): Reaction {
  const current = currentReaction();
  const revision = Number(resourceVersion ?? 0) || current?.revision;
  const controller = current?.controller ?? component;
  return { controller, ...(revision ? { revision } : {}) };
}

/** Gives events their names (k8s client-go tools/record/util/util.go:GenerateEventName). */
export class EventNames {
  #serial = 0;

  constructor(private readonly clock: Clock) {}

  metadataOf({ name = '', namespace }: ObjectReference): { name: string; namespace: string } {
    const ms = BigInt(this.clock.now());
    const stamp = ms * 1_000_000n + BigInt(this.#serial++ % 1_000_000);
    return { name: `${name}.${stamp.toString(16)}`, namespace: namespace ?? 'default' };
  }
}
