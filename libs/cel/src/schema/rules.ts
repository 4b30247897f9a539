import type { Environment } from '../check/environment.js';
import { standardFunctions } from '../functions/standard.js';
import type { Program } from '../program.js';
import { compile } from '../program.js';
import { optionalOf } from '../types/type.js';
import { resolveFieldPath } from './field-path.js';
import type { DeclaredType } from './schema-type.js';
import { MAX_REQUEST_BYTES, schemaType } from './schema-type.js';
import type { RuleSchema, ValidationRule } from './structural.js';

/** A rule that can be evaluated, or what is wrong with it. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program?: Program;
  readonly problem?: string;
  readonly message?: Program;
  readonly messageProblem?: string;
  readonly usesOldSelf: boolean;
  /** The most that one evaluation can cost. */
  readonly maxCost: number;
  readonly messageMaxCost: number;
  /** How many values of the schema fit into one request. */
  readonly maxCount: number;
  /** Where a failure is reported, below the rule's own field. */
  readonly fieldPath: string;
}

const environmentOf = ({ type }: DeclaredType, optional: boolean): Environment => ({
  variables: new Map([
    ['self', type],
    ['oldSelf', optional ? optionalOf(type) : type],
  ]),
  functions: standardFunctions,
});

function compileTo(
  source: string,
  wanted: 'bool' | 'string',
  env: Environment,
): { readonly program?: Program; readonly problem?: string } {
  const { program, problem } = compile(source, env);
  const prefix = wanted === 'string' ? 'messageExpression ' : '';
  if (!program) return { problem: `${prefix}compilation failed: ${problem}` };
  if (program.type.kind === wanted) return { program };
  return {
    problem:
      wanted === 'bool'
        ? 'cel expression must evaluate to a bool'
        : 'messageExpression must evaluate to a string',
  };
}

function compileRule(
  rule: ValidationRule,
  schema: RuleSchema,
  declared: DeclaredType,
): CompiledRule {
  const env = environmentOf(declared, rule.optionalOldSelf === true);
  const maxCount = Math.floor(MAX_REQUEST_BYTES / (declared.minBytes + 1));
  const nothing = {
    rule,
    usesOldSelf: false,
    maxCost: 0,
    messageMaxCost: 0,
    maxCount,
    fieldPath: '',
  };
  if ((rule.rule ?? '').trim() === '') return nothing;
  const { program, problem } = compileTo(rule.rule ?? '', 'bool', env);
  if (!program) return problem === undefined ? nothing : { ...nothing, problem };
  const expression = rule.messageExpression ?? '';
  const message = expression.trim() === '' ? {} : compileTo(expression, 'string', env);
  return {
    ...nothing,
    program,
    usesOldSelf: program.uses('oldSelf'),
    maxCost: program.estimateCost().max,
    ...(message.program ? { message: message.program } : {}),
    ...(message.problem === undefined ? {} : { messageProblem: message.problem }),
    messageMaxCost: message.program?.estimateCost().max ?? 0,
    fieldPath: fieldPathOf(rule, schema),
  };
}

function fieldPathOf({ fieldPath }: ValidationRule, schema: RuleSchema): string {
  if (!fieldPath) return '';
  const resolved = resolveFieldPath(fieldPath, schema);
  return resolved.problem === undefined ? resolved.path : '';
}

/** The schema's own rules, in order, for values of `declared` (default: of the schema). */
export function compileRules(
  schema: RuleSchema,
  isResource: boolean,
  declared: DeclaredType | undefined = schemaType(schema, isResource),
): readonly CompiledRule[] {
  if (!declared) return [];
  return (schema['x-kubernetes-validations'] ?? []).map((rule) =>
    compileRule(rule, schema, declared),
  );
}
