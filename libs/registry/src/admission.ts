import type { GroupVersionKind, KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { RequestContext } from './request-context.js';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** What the mutating plugins of one request know of each other's passes (k8s apiserver pkg/admission/interfaces.go ReinvocationContext). */
export class Reinvocation {
  /** True in the second pass. */
  isReinvoke = false;
  /** Set by a plugin that has changed the object so that the others must see it again. */
  wanted = false;
  /** What each plugin keeps between the passes, by its name. */
  readonly kept = new Map<string, unknown>();
}

/** What an admission plugin sees (k8s apiserver pkg/admission/interfaces.go Attributes). */
export interface AdmissionAttributes {
  readonly operation: Operation;
  readonly kind: KindDescriptor;
  readonly subresource: string;
  readonly namespace?: string;
  readonly name: string;
  /** The new object; mutating plugins change it in place. Absent for DELETE. */
  readonly object?: KubeObject;
  /** The stored object, for UPDATE and DELETE. Never mutated. */
  readonly oldObject?: KubeObject;
  /** The request's options object (CreateOptions, DeleteOptions, PodExecOptions for CONNECT …). */
  readonly options?: unknown;
  readonly dryRun: boolean;
  readonly context: RequestContext;
  /** The kind of `object` where it is not `kind` itself: Scale, Binding, Eviction, TokenRequest, PodExecOptions … */
  readonly objectKind?: GroupVersionKind;
  /** Set by the chain while plugins mutate. */
  readonly reinvocation?: Reinvocation;
}

/**
 * One admission plugin. The chain runs every `admit` in the order of the list, then every `validate`;
 * the first StatusError thrown ends the request.
 */
export interface AdmissionPlugin {
  readonly name: string;
  handles(operation: Operation): boolean;
  admit?(attributes: AdmissionAttributes): Promise<void> | void;
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}

/** The plugins in the order of the list: every `admit` (twice when one asks for it), and later every `validate`. */
export class AdmissionChain {
  constructor(private readonly plugins: readonly AdmissionPlugin[] = []) {}

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const reinvocation = new Reinvocation();
    const seen = { ...attributes, reinvocation };
    await this.#admitOnce(seen);
    if (!reinvocation.wanted) return;
    reinvocation.isReinvoke = true;
    await this.#admitOnce(seen);
  }

  async #admitOnce(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.plugins)
      if (plugin.admit && plugin.handles(attributes.operation)) await plugin.admit(attributes);
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.plugins)
      if (plugin.validate && plugin.handles(attributes.operation))
        await plugin.validate(attributes);
  }
}
