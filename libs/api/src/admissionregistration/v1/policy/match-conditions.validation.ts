import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { duplicate, invalid, isQualifiedName, required, tooMany } from '@orrery/apimachinery';
import type { PolicyProgram } from '@orrery/cel';
import { PolicyCompiler } from '@orrery/cel';
import type { MatchCondition, ParamKind } from '../../../gen/types/admissionregistration.v1.js';
import { when } from '../../../meta/findings.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';

interface Conditioned {
  readonly paramKind?: ParamKind;
  readonly matchConditions?: readonly MatchCondition[];
}

/** What is wrong with an expression; `source` is what was written. */
export function expressionFindings(
  { problem }: PolicyProgram,
  source: string,
  path: Path,
): FieldError[] {
  return problem === undefined ? [] : [invalid(path, source, problem)];
}

/** Whether the conditions of a policy mean what they meant: then they may stay as wrong as they are. */
export const hasSameConditions = (
  spec: Conditioned | undefined,
  old: Conditioned | undefined,
): boolean =>
  isDeepEqual(spec?.paramKind, old?.paramKind) &&
  isDeepEqual(list(spec?.matchConditions), list(old?.matchConditions));

const MAX_CONDITIONS = 64;

/** Also for webhooks, which have no parameters. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  path: Path,
  params: boolean,
): FieldError[] {
  const count = list(conditions).length;
  if (count === 0) return [];
  const compiler = new PolicyCompiler({ params, authorizer: true });
  const seen = new Set<string>();
  return [
    ...when(count > MAX_CONDITIONS, tooMany(path, count, MAX_CONDITIONS)),
    ...eachOf(conditions, ({ name: given, expression }, i) => {
      const name = String(given ?? '');
      const at = path.index(i);
      const source = String(expression ?? '').trim();
      const repeated = name !== '' && seen.has(name);
      seen.add(name);
      return [
        ...(source === ''
          ? [required(at.child('expression'))]
          : expressionFindings(compiler.compile(source, 'bool'), source, at.child('expression'))),
        ...(name
          ? isQualifiedName(name).map((message) => invalid(at.child('name'), name, message))
          : [required(at.child('name'))]),
        ...when(repeated, duplicate(at.child('name'), name)),
      ];
    }),
  ];
}
