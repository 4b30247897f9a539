import type { PodTemplateSpec } from '../../../types.js';
import { setPodSpecDefaults } from '../pod-spec/pod-spec.defaults.js';

/** What upstream's structs hold where a client gives neither spec nor template: empty ones. */
export function fillTemplate(workload: { spec?: { template?: PodTemplateSpec } }): void {
  const spec = (workload.spec ??= {});
  spec.template ??= {};
}

/** Defaults of a template inside a workload. Upstream always writes `metadata`, even when empty. */
export function setPodTemplateDefaults(template: PodTemplateSpec | undefined): void {
  if (!template) return;
  template.metadata ??= {};
  template.spec ??= { containers: [] };
  setPodSpecDefaults(template.spec);
}
