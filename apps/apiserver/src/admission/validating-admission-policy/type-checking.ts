import type { SchemaRegistry } from '@orrery/apimachinery';
import { toApiVersion } from '@orrery/apimachinery';
import type {
  ExpressionWarning,
  KindDescriptor,
  ValidatingAdmissionPolicy as Policy,
} from '@orrery/api';
import { PolicyCompiler } from '@orrery/cel';
import { KindTypes } from './kind-type.js';

/** Most kinds that a policy is checked for (k8s apiserver plugin/policy/validating/typechecking.go:maxTypesToCheck). */
const MAX_TYPES = 10;

const isExact = (names: readonly string[] = []): boolean =>
  !names.some((name) => name.includes('*'));

/** The kinds that the policy's rules name; wildcards are not followed. */
function kindsOf({ spec }: Policy, served: readonly KindDescriptor[]): KindDescriptor[] {
  const found = new Set<KindDescriptor>();
  for (const rule of spec.matchConstraints?.resourceRules ?? []) {
    const { apiGroups = [], apiVersions = [], resources = [] } = rule;
    if (![apiGroups, apiVersions, resources].every(isExact)) continue;
    for (const kind of served) {
      const isNamed =
        apiGroups.includes(kind.group) &&
        apiVersions.includes(kind.version) &&
        resources.includes(kind.plural);
      if (isNamed) found.add(kind);
    }
  }
  const name = ({ group, version, kind }: KindDescriptor): string => `${group}/${version}/${kind}`;
  return [...found].sort((a, b) => (name(a) < name(b) ? -1 : 1)).slice(0, MAX_TYPES);
}

interface Expression {
  readonly fieldRef: string;
  readonly source: string;
  readonly wanted: 'bool' | 'string';
}

function expressionsOf({ spec }: Policy): Expression[] {
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, i) => [
    { fieldRef: `spec.validations[${i}].expression`, source: expression, wanted: 'bool' as const },
    ...(messageExpression
      ? [
          {
            fieldRef: `spec.validations[${i}].messageExpression`,
            source: messageExpression,
            wanted: 'string' as const,
          },
        ]
      : []),
  ]);
}

/** What is wrong with a policy's expressions when `object` has the type of a kind that its rules name. */
export function typeCheck(
  policy: Policy,
  served: readonly KindDescriptor[],
  schemasOf: (kind: KindDescriptor) => SchemaRegistry,
): ExpressionWarning[] {
  const kinds = kindsOf(policy, served);
  return expressionsOf(policy).flatMap(({ fieldRef, source, wanted }) => {
    const problems = kinds.flatMap((kind) => {
      const object = new KindTypes(schemasOf(kind)).of(kind.schema);
      const params = policy.spec.paramKind !== undefined;
      const compiler = new PolicyCompiler({ params, authorizer: true, object });
      for (const { name, expression } of policy.spec.variables ?? [])
        compiler.addVariable(name, expression);
      const { problem } = compiler.compile(source, wanted);
      if (problem === undefined) return [];
      const gvk = `${toApiVersion(kind.group, kind.version)}, Kind=${kind.kind}`;
      return [`${gvk}: ${problem.replace(/^compilation failed: /, '')}\n`];
    });
    return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join('\n') }];
  });
}
