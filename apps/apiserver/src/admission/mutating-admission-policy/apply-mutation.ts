import type { KubeObject } from '@orrery/apimachinery';
import {
  StatusError,
  applyConfiguration,
  applyJsonPatch,
  toApiVersion,
} from '@orrery/apimachinery';
import type { KindDescriptor, MutatingAdmissionPolicy, Mutation } from '@orrery/api';
import type { PolicyProgram, Program } from '@orrery/cel';
import { PolicyCompiler, toJson } from '@orrery/cel';
import { schemasOf } from '../../custom-resources/custom-kind.js';
import type { PolicyEvaluation } from '../matching/policy-evaluation.js';
import { compileOnce, compileVariables } from '../policy/compiled-policy.js';

export interface CompiledMutation {
  readonly mutation: Mutation;
  readonly source: string;
  readonly expression: PolicyProgram;
}

export interface CompiledMutations {
  readonly variables: ReadonlyMap<string, Program>;
  readonly mutations: readonly CompiledMutation[];
}

/** Every expression of a policy, compiled. */
export const compileMutations = compileOnce(
  ({ spec }: MutatingAdmissionPolicy): CompiledMutations => {
    const compiler = new PolicyCompiler({ params: spec.paramKind !== undefined, authorizer: true });
    const variables = compileVariables(compiler, spec.variables);
    const mutations = (spec.mutations ?? []).map((mutation) => {
      const isPatch = mutation.patchType === 'JSONPatch';
      const source =
        (isPatch ? mutation.jsonPatch?.expression : mutation.applyConfiguration?.expression) ?? '';
      const wanted = isPatch ? 'patch' : 'object';
      return { mutation, source, expression: compiler.compile(source, wanted, { patches: true }) };
    });
    return { variables, mutations };
  },
);

/** A failed `test` leaves the object as it is. */
function patchByJson(object: KubeObject, steps: unknown): KubeObject {
  try {
    return applyJsonPatch(object, steps) as KubeObject;
  } catch (error) {
    if (error instanceof StatusError && error.code === 422) return object;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`JSON Patch: ${why}`, { cause: error });
  }
}

/** The object with one mutation applied. Throws an Error in upstream's words. */
export async function applyMutation(
  { mutation, source, expression }: CompiledMutation,
  object: KubeObject,
  kind: KindDescriptor,
  evaluation: PolicyEvaluation,
): Promise<KubeObject> {
  const result = await evaluation.evaluate(expression, source);
  if (result.error !== undefined) throw new Error(result.error);
  const json = toJson(result.value);
  if (mutation.patchType === 'JSONPatch') return patchByJson(object, json);
  const patch = {
    ...(json as object),
    apiVersion: toApiVersion(kind.group, kind.version),
    kind: kind.kind,
  };
  return applyConfiguration(object, patch, kind.schema, schemasOf(kind));
}
