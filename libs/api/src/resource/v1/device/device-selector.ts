import type { CelType, Environment, ObjectType } from '@orrery/cel';
import {
  LIBRARY_TYPES,
  celTypes,
  compile,
  formatType,
  mapOf,
  opaque,
  standardFunctions,
} from '@orrery/cel';

const { string, bool, dyn } = celTypes;

/** Of each driver's domain a map of names. */
const byDomain = (value: CelType): CelType => mapOf(string, mapOf(string, value));

const device: ObjectType = {
  kind: 'object',
  name: 'kubernetes.DRADevice',
  fields: new Map(
    Object.entries({
      driver: string,
      attributes: byDomain(dyn),
      capacity: byDomain(opaque(LIBRARY_TYPES['Quantity'] ?? '')),
      allowMultipleAllocations: bool,
    }).map(([jsonName, type]) => [jsonName, { type, jsonName, required: true }]),
  ),
};

const environment: Environment = {
  variables: new Map([['device', device]]),
  functions: standardFunctions,
};

/**
 * Why an expression selects no devices (k8s dynamic-resource-allocation cel/compile.go:CompileCELExpression). What uses
 * macros that are not known here is let pass.
 */
export function selectorProblem(expression: string): string | undefined {
  if (/\bcel\.bind\b/.test(expression)) return undefined;
  const { program, problem } = compile(expression, environment);
  if (!program) return `compilation failed: ${problem}`;
  const { kind } = program.type;
  return kind === 'bool' || kind === 'dyn' || kind === 'any'
    ? undefined
    : `must evaluate to bool or the unknown type, not ${formatType(program.type)}`;
}
