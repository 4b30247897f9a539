import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { duplicate, invalid, isQualifiedName, required, tooMany } from '@orrery/apimachinery';
import type { PolicyProgram } from '@orrery/cel';
import { PolicyCompiler } from '@orrery/cel';
import type { MatchCondition } from '../../../gen/types/admissionregistration.v1.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';

/** What is wrong with an expression; `source` is what was written. */
export function expressionFindings(
  { problem }: PolicyProgram,
  source: string,
  path: Path,
): FieldError[] {
  return problem === undefined ? [] : [invalid(path, source, problem)];
}

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
