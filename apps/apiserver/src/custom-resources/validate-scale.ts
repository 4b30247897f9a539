import type { FieldError } from '@orrery/apimachinery';
import type { CustomResourceSubresourceScale } from '@orrery/api';
import { invalidValue } from './findings.js';
import { printGo } from './print-go.js';
import { isJsonObject } from './structural-schema.js';

const MAX_INT32 = 2 ** 31 - 1;

const notOfType = (steps: readonly string[], value: unknown, wanted: string): string => {
  const [text, type] = printGo(value);
  return `.${steps.join('.')} accessor error: ${text} is of the type ${type}, expected ${wanted}`;
};

interface Found {
  readonly value?: unknown;
  readonly problem?: string;
}

/** apimachinery pkg/apis/meta/v1/unstructured/helpers.go:NestedFieldNoCopy. */
function fieldAt(object: unknown, path: string, wanted: 'int64' | 'string'): Found {
  const steps = path.replace(/^\./, '').split('.');
  let value = object;
  for (const [i, step] of steps.entries()) {
    if (value === null) return {};
    if (!isJsonObject(value))
      return { problem: notOfType(steps.slice(0, i + 1), value, 'map[string]interface{}') };
    if (!Object.hasOwn(value, step)) return {};
    value = value[step];
  }
  const fits = wanted === 'string' ? typeof value === 'string' : Number.isInteger(value);
  return fits ? { value } : { problem: notOfType(steps, value, wanted) };
}

function validateReplicas(object: unknown, path: string): FieldError[] {
  const { value = 0, problem } = fieldAt(object, path, 'int64');
  if (problem !== undefined) return [invalidValue(path, 0, problem)];
  const replicas = value as number;
  if (replicas < 0) return [invalidValue(path, replicas, 'should be a non-negative integer')];
  return replicas > MAX_INT32
    ? [invalidValue(path, replicas, `should be less than or equal to ${MAX_INT32}`)]
    : [];
}

/** apiextensions-apiserver pkg/registry/customresource/validator.go:ValidateScaleSpec. */
export const validateScaleSpec = (
  object: unknown,
  scale: CustomResourceSubresourceScale | undefined,
): FieldError[] => (scale ? validateReplicas(object, scale.specReplicasPath) : []);

/** …/validator.go:ValidateScaleStatus. */
export function validateScaleStatus(
  object: unknown,
  scale: CustomResourceSubresourceScale | undefined,
): FieldError[] {
  if (!scale) return [];
  const { labelSelectorPath } = scale;
  const selector = labelSelectorPath
    ? fieldAt(object, labelSelectorPath, 'string').problem
    : undefined;
  return [
    ...validateReplicas(object, scale.statusReplicasPath),
    ...(selector === undefined ? [] : [invalidValue(labelSelectorPath ?? '', '', selector)]),
  ];
}
