import type { PodTemplateSpec } from '../../../types.js';
import { setPodSpecDefaults } from '../pod-spec/pod-spec.defaults.js';

/** Defaults of a template inside a workload. Upstream always writes `metadata`, even when empty. */
export function setPodTemplateDefaults(template: PodTemplateSpec | undefined): void {
  if (!template) return;
  template.metadata ??= {};
  if (template.spec) setPodSpecDefaults(template.spec);
}
