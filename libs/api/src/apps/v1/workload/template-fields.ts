import type { PodTemplateSpec } from '../../../types.js';
import { dropDisabledFields } from '../../../core/v1/pod-template/disabled-fields.js';

interface TemplateHooks<T> {
  prepareForCreate(object: T): void;
  prepareForUpdate(object: T, old: T): void;
}

/**
 * Takes what belongs to features that are off out of the pod template an object holds, unless the stored one has it
 * (k8s pkg/api/pod/util.go:DropDisabledTemplateFields, called by the strategies of apps and batch).
 */
export const templateHooks = <T>(
  templateOf: (object: T) => PodTemplateSpec | undefined,
): TemplateHooks<T> => ({
  prepareForCreate: (object) => dropDisabledFields(templateOf(object)?.spec),
  prepareForUpdate: (object, old) =>
    dropDisabledFields(templateOf(object)?.spec, templateOf(old)?.spec),
});
