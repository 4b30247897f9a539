import type { Program } from '../program.js';
import { compile } from '../program.js';
import type { CelType, ObjectField, ObjectType } from '../types/type.js';
import { formatType } from '../types/type.js';
import type { PolicyScope } from './policy-environment.js';
import { policyEnvironment } from './policy-environment.js';

export type PolicyProgram =
  | { readonly program: Program; readonly problem?: undefined }
  | { readonly program?: undefined; readonly problem: string };

/** What an expression must come to; dyn is what only an evaluation can tell. */
export type ResultKind = 'bool' | 'string' | 'string or null' | 'object' | 'patch' | 'any';

const isPatchList = (type: CelType): boolean =>
  type.kind === 'list' && type.element.kind === 'object' && type.element.name === 'JSONPatch';

const FITS: Readonly<Record<ResultKind, (type: CelType) => boolean>> = {
  bool: ({ kind }) => kind === 'bool' || kind === 'dyn',
  string: ({ kind }) => kind === 'string' || kind === 'dyn',
  'string or null': ({ kind }) => kind === 'string' || kind === 'null' || kind === 'dyn',
  object: (type) => type.kind === 'object' && type.name === 'Object',
  patch: isPatchList,
  any: () => true,
};

const WANTED: Readonly<Record<ResultKind, string>> = {
  bool: 'must evaluate to bool',
  string: 'must evaluate to string',
  'string or null': 'must evaluate to one of: string null_type',
  object: 'must evaluate to Object',
  patch: 'must evaluate to list(JSONPatch)',
  any: '',
};

/** Compiles the expressions of one policy; variables see those before them (k8s apiserver plugin/cel/composition.go). */
export class PolicyCompiler {
  private readonly fields = new Map<string, ObjectField>();
  /** Grows with each variable: there may be thousands, and each expression is compiled with those before it. */
  private readonly variables: ObjectType = {
    kind: 'object',
    name: 'kubernetes.variables',
    fields: this.fields,
  };

  constructor(private readonly scope: Omit<PolicyScope, 'variables'>) {}

  /** Compiles a variable and makes it known to what follows. */
  addVariable(name: string, expression: string): PolicyProgram {
    const compiled = this.compile(expression, 'any');
    const type = compiled.program?.type ?? { kind: 'dyn' };
    this.fields.set(name, { type, jsonName: name, required: false });
    return compiled;
  }

  /** `narrowed` takes parts of the policy's scope away: messages do not see the authorizer. */
  compile(
    expression: string,
    wanted: ResultKind,
    narrowed: Partial<PolicyScope> = {},
  ): PolicyProgram {
    const variables = this.fields.size > 0 ? { variables: this.variables } : {};
    const env = policyEnvironment({ ...this.scope, ...variables, ...narrowed });
    const { program, problem } = compile(expression, env);
    if (!program) return { problem: `compilation failed: ${problem}` };
    if (FITS[wanted](program.type)) return { program };
    const found =
      wanted === 'object' || wanted === 'patch' ? ` but got ${formatType(program.type)}` : '';
    return { problem: `${WANTED[wanted]}${found}` };
  }
}
