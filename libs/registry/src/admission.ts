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
  /** Always the same for an operation. */
  handles(operation: Operation): boolean;
  admit?(attributes: AdmissionAttributes): Promise<void> | void;
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}

type Step = 'admit' | 'validate';

/** Told when a step of a request begins; what it answers is called when the step ends. */
export type StepObserver = (step: Step, operation: Operation) => (rejected: boolean) => void;

/** The plugins in the order of the list: every `admit` (twice when one asks for it), and later every `validate`. */
export class AdmissionChain {
  /** The plugins that take part, by step and operation. */
  readonly #taking: Readonly<Record<Step, Map<Operation, readonly AdmissionPlugin[]>>> = {
    admit: new Map(),
    validate: new Map(),
  };

  constructor(
    private readonly plugins: readonly AdmissionPlugin[] = [],
    private readonly observe?: StepObserver,
  ) {}

  admit(attributes: AdmissionAttributes): Promise<void> {
    return this.#observed('admit', attributes, () => this.#admit(attributes));
  }

  validate(attributes: AdmissionAttributes): Promise<void> {
    return this.#observed('validate', attributes, () => this.#ask('validate', attributes));
  }

  #observed(
    step: Step,
    { operation }: AdmissionAttributes,
    work: () => Promise<void>,
  ): Promise<void> {
    const end = this.observe?.(step, operation);
    if (!end) return work();
    return work().then(
      () => {
        end(false);
      },
      (error: unknown) => {
        end(true);
        throw error;
      },
    );
  }

  async #admit(attributes: AdmissionAttributes): Promise<void> {
    const reinvocation = new Reinvocation();
    const seen = { ...attributes, reinvocation };
    await this.#ask('admit', seen);
    if (!reinvocation.wanted) return;
    reinvocation.isReinvoke = true;
    await this.#ask('admit', seen);
  }

  /** One after the other; those that decide at once are not waited for. */
  async #ask(step: Step, attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#takingPart(step, attributes.operation)) {
      const pending = plugin[step]?.(attributes);
      if (pending) await pending;
    }
  }

  #takingPart(step: Step, operation: Operation): readonly AdmissionPlugin[] {
    let taking = this.#taking[step].get(operation);
    if (!taking) {
      taking = this.plugins.filter((plugin) => plugin[step] && plugin.handles(operation));
      this.#taking[step].set(operation, taking);
    }
    return taking;
  }
}
