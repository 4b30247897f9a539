import type { KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { RequestContext } from './request-context.js';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

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

/** The plugins in the order of the list: every `admit`, and later every `validate`. */
export class AdmissionChain {
  constructor(private readonly plugins: readonly AdmissionPlugin[] = []) {}

  async admit(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.plugins)
      if (plugin.admit && plugin.handles(attributes.operation)) await plugin.admit(attributes);
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.plugins)
      if (plugin.validate && plugin.handles(attributes.operation))
        await plugin.validate(attributes);
  }
}
