import { cloneSteps } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { inTurns } from '@orrery/component';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes } from '@orrery/registry';

/**
 * What a mutating plugin remembers between the two passes of one request: who is asked again when somebody else has
 * changed the object since (k8s …/plugin/webhook/mutating/reinvocationcontext.go, …/policy/mutating/reinvocationcontext.go).
 */
export class Passes {
  /** The object after the last pass. */
  private output: KubeObject | undefined;
  private readonly asked = new Set<string>();
  private readonly again = new Set<string>();

  private constructor(private readonly attributes: AdmissionAttributes) {}

  /** Those of a plugin for a request; its second pass finds what the first one left. */
  static of(attributes: AdmissionAttributes, plugin: string): Passes {
    const { reinvocation, object } = attributes;
    const kept = reinvocation?.kept.get(plugin) as Passes | undefined;
    const passes = kept ?? new Passes(attributes);
    reinvocation?.kept.set(plugin, passes);
    if (reinvocation?.isReinvoke && !equalJson(passes.output, object)) passes.askAgain();
    return passes;
  }

  /** Whether the one of this name has a turn in this pass. */
  has(name: string): boolean {
    return !this.attributes.reinvocation?.isReinvoke || this.again.has(name);
  }

  /** The one of this name wants to see what others make of the object after it. */
  willLookAgain(name: string): void {
    this.asked.add(name);
  }

  /** The object was changed: those who wanted to see that get another turn. */
  changed(): void {
    this.askAgain();
    if (this.attributes.reinvocation) this.attributes.reinvocation.wanted = true;
  }

  /** The pass is over: what it made of the object is kept where somebody wants to see what others make of it. */
  async end(): Promise<void> {
    const { object } = this.attributes;
    if (this.asked.size > 0) this.output = object && (await inTurns(cloneSteps(object)));
  }

  private askAgain(): void {
    for (const name of this.asked) this.again.add(name);
    this.asked.clear();
  }
}

/** Makes `object` equal to `next`, in place. */
export function replaceObject(object: KubeObject, next: KubeObject): void {
  const target = object as unknown as Record<string, unknown>;
  for (const key of Object.keys(target)) if (!Object.hasOwn(next, key)) delete target[key];
  Object.assign(target, next);
}
