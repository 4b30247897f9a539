import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import { cloneJson, isNotFound } from '@orrery/apimachinery';
import type { Pod, PodTemplateSpec } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient, ResourceClient } from '@orrery/client';
import type { EventRecorder } from './event-recorder.js';

export interface PodRequest {
  readonly template: PodTemplateSpec;
  /** Whose pod it is: events are about it. */
  readonly owner: KubeObject;
  readonly controllerRef: OwnerReference;
  /** A fixed name instead of a generated one. */
  readonly name?: string;
  /** Last touches to the new pod. */
  readonly edit?: (pod: Pod) => void;
}

const MAX_PREFIX = 57;

/** The pod that a template describes, for `owner`. */
export function podFromTemplate({ template, owner, controllerRef, name, edit }: PodRequest): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const prefix = `${owner.metadata.name ?? ''}-`.slice(0, MAX_PREFIX);
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(name ? { name } : { generateName: prefix }),
      namespace: owner.metadata.namespace ?? '',
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [controllerRef],
    },
    spec: cloneJson(template.spec ?? { containers: [] }),
  };
  edit?.(pod);
  return pod;
}

/** Creates and deletes pods for their owners and tells of it in events. */
export class PodControl {
  readonly #pods: ResourceClient<Pod>;

  constructor(
    client: KubeClient,
    private readonly events: EventRecorder,
  ) {
    this.#pods = client.resource(resources.pods);
  }

  async create(request: PodRequest): Promise<Pod> {
    try {
      const pod = await this.#pods.create(podFromTemplate(request));
      const text = `Created pod: ${pod.metadata.name ?? ''}`;
      this.events.event(request.owner, 'Normal', 'SuccessfulCreate', text);
      return pod;
    } catch (error) {
      const text = `Error creating: ${error instanceof Error ? error.message : String(error)}`;
      this.events.event(request.owner, 'Warning', 'FailedCreate', text);
      throw error;
    }
  }

  /** A pod that is gone already is a success. */
  async delete(owner: KubeObject, pod: Pod): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata;
    try {
      await this.#pods.delete({ namespace, name }, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (isNotFound(error)) return;
      const text = `Error deleting: ${error instanceof Error ? error.message : String(error)}`;
      this.events.event(owner, 'Warning', 'FailedDelete', text);
      throw error;
    }
    this.events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  }
}
