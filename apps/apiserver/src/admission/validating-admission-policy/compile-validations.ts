import type { ValidatingAdmissionPolicy, Validation } from '@orrery/api';
import type { PolicyProgram, Program } from '@orrery/cel';
import { PolicyCompiler } from '@orrery/cel';
import { compileOnce, compileVariables } from '../policy/compiled-policy.js';

export interface CompiledValidation {
  readonly validation: Validation;
  readonly expression: PolicyProgram;
  readonly message: PolicyProgram | undefined;
}

export interface CompiledAnnotation {
  readonly key: string;
  readonly source: string;
  readonly expression: PolicyProgram;
}

export interface CompiledValidations {
  readonly variables: ReadonlyMap<string, Program>;
  readonly validations: readonly CompiledValidation[];
  readonly annotations: readonly CompiledAnnotation[];
}

/** Every expression of a policy, compiled. */
export const compileValidations = compileOnce(
  ({ spec }: ValidatingAdmissionPolicy): CompiledValidations => {
    const compiler = new PolicyCompiler({ params: spec.paramKind !== undefined, authorizer: true });
    const variables = compileVariables(compiler, spec.variables);
    return {
      variables,
      validations: (spec.validations ?? []).map((validation) => ({
        validation,
        expression: compiler.compile(validation.expression, 'bool'),
        message: validation.messageExpression
          ? compiler.compile(validation.messageExpression, 'string', { authorizer: false })
          : undefined,
      })),
      annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
        key,
        source: valueExpression,
        expression: compiler.compile(valueExpression, 'string or null'),
      })),
    };
  },
);
