import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound, toKeyString } from '@orrery/apimachinery';
import type { HorizontalPodAutoscaler } from '@orrery/api';
import { done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import { AutoscalerStatus } from './autoscaler-status.js';
import { behaviorOf } from './behavior-limits.js';
import { actionOf } from './horizontal-pod-autoscaler.metrics.js';
import { errorOf, messageOf } from './look.js';
import type {
  AutoscalerCaches,
  AutoscalerSettings,
  AutoscalerTools,
  Look,
  Wanted,
} from './look.js';
import type { ScaleTarget } from './scale-target.js';
import { WantedReplicas } from './wanted-replicas.js';

/** Scales targets by metrics (k8s pkg/controller/podautoscaler/horizontal.go: reconcileAutoscaler). */
export class HorizontalPodAutoscalerReconciler implements Reconciler {
  readonly #wanted: WantedReplicas;

  constructor(
    private readonly caches: AutoscalerCaches,
    private readonly tools: AutoscalerTools,
    private readonly settings: AutoscalerSettings,
  ) {
    this.#wanted = new WantedReplicas(caches, tools, settings);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const hpa = this.caches.autoscalers.get(key);
    if (!hpa) {
      this.tools.memory.forget(toKeyString(key));
      this.tools.meters.forget(toKeyString(key));
      return done;
    }
    const now = this.tools.clock.now();
    const status = new AutoscalerStatus(hpa, now);
    const look: Look = {
      hpa,
      key: toKeyString(key),
      now,
      status,
      outcome: { action: 'none', error: 'none' },
    };
    const begun = this.tools.clock.monotonic();
    this.tools.meters.added(look.key);
    await this.#look(look);
    const { action, error } = look.outcome;
    const seconds = (this.tools.clock.monotonic() - begun) / 1000;
    this.tools.meters.reconciled(action, error, seconds);
    this.tools.meters.desired(look.key, status.build().desiredReplicas);
    try {
      await this.tools.status.writeIfChanged(hpa, status.build());
    } catch (error) {
      if (isNotFound(error)) return done;
      this.#warn(hpa, 'FailedUpdateStatus', messageOf(error));
      throw error;
    }
    return { requeueAfterMs: this.settings.syncPeriodMs };
  }

  async #look(look: Look): Promise<void> {
    const { hpa, status } = look;
    let target: ScaleTarget;
    try {
      target = await this.tools.scales.get(hpa);
    } catch (error) {
      const text = messageOf(error);
      look.outcome.error = errorOf(error);
      this.#warn(hpa, 'FailedGetScale', text);
      const told = `the HPA controller was unable to get the target's current scale: ${text}`;
      status.set('AbleToScale', false, 'FailedGetScale', told);
      return;
    }
    const got = "the HPA controller was able to get the target's current scale";
    status.set('AbleToScale', true, 'SucceededGetScale', got);
    const current = target.scale.spec.replicas ?? 0;
    this.tools.memory.begin(look.key, current, look.now);
    const wanted = await this.#wanted.of(look, target, current);
    if (wanted) await this.#scale(look, target, current, wanted);
  }

  async #scale(look: Look, target: ScaleTarget, current: number, wanted: Wanted): Promise<void> {
    const { hpa, status, key, now } = look;
    const { replicas, reason } = wanted;
    const { events, memory, scales } = this.tools;
    status.current(current);
    if (replicas === current) {
      status.desired(current, false);
      return;
    }
    try {
      await scales.set(target, replicas);
    } catch (error) {
      const text = messageOf(error);
      this.#warn(hpa, 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${text}`);
      look.outcome.error = 'internal';
      const told = `the HPA controller was unable to update the target scale: ${text}`;
      status.set('AbleToScale', false, 'FailedUpdateScale', told);
      return;
    }
    const told = `the HPA controller was able to update the target scale to ${replicas}`;
    status.set('AbleToScale', true, 'SucceededRescale', told);
    look.outcome.action = actionOf(current, replicas);
    const text = `New size: ${replicas}; reason: ${reason}`;
    events.event(hpa, 'Normal', 'SuccessfulRescale', text);
    if (hpa.spec.behavior)
      memory.scaled(key, replicas - current, now, behaviorOf(hpa, this.settings));
    status.desired(replicas, true);
  }

  #warn(hpa: HorizontalPodAutoscaler, reason: string, text: string): void {
    this.tools.events.event(hpa, 'Warning', reason, text);
  }
}
