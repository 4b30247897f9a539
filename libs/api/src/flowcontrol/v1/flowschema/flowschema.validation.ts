import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../../gen/types/flowcontrol.v1.js';
import { duplicates, when } from '../../../meta/findings.js';
import { present } from '../../../meta/fields.js';
import { internalForm } from '../../../meta/internal-form.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import { mandatoryFlowSchemas } from '../bootstrap/bootstrap-objects.js';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');
const MAX_PRECEDENCE = 10_000;
const METHODS = ['ByNamespace', 'ByUser'];
const VERBS = [
  'get',
  'list',
  'create',
  'update',
  'delete',
  'deletecollection',
  'patch',
  'watch',
  'proxy',
];
const SUBJECTS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const;
type SubjectKind = keyof typeof SUBJECTS;

const isAll = (items: readonly string[] | undefined): boolean => list(items).includes('*');

/** `*` stands alone. */
const lonely = (items: readonly string[] | undefined, what: string, path: Path): FieldError[] =>
  when(
    isAll(items) && list(items).length > 1,
    invalid(path, items, `if '*' is present, must not specify other ${what}`),
  );

function validateVerbs(verbs: readonly string[] | undefined, path: Path): FieldError[] {
  if (list(verbs).length === 0) return [required(path, 'verbs must contain at least one value')];
  if (isAll(verbs)) return lonely(verbs, 'verbs', path);
  return when(
    list(verbs).some((verb) => !VERBS.includes(verb)),
    notSupported(path, verbs, VERBS),
  );
}

function validateServiceAccount(account: Subject['serviceAccount'], path: Path): FieldError[] {
  if (!account) {
    return [required(path, "serviceAccount is required when subject kind is 'ServiceAccount'")];
  }
  const name = path.child('name');
  const namespace = path.child('namespace');
  return [
    ...(account.name && account.name !== '*'
      ? check(dnsSubdomain, account.name, name)
      : present(account.name, name)),
    ...(account.namespace
      ? check(dnsLabel, account.namespace, namespace)
      : [required(namespace, 'must specify namespace for service account')]),
  ];
}

function validateNamed(kind: 'User' | 'Group', subject: Subject, path: Path): FieldError[] {
  const field = SUBJECTS[kind];
  const named = kind === 'User' ? subject.user : subject.group;
  if (!named)
    return [required(path.child(field), `${field} is required when subject kind is '${kind}'`)];
  return present(named.name, path.child(field, 'name'));
}

function validateSubject(subject: Subject, path: Path): FieldError[] {
  if (!Object.hasOwn(SUBJECTS, subject.kind ?? '')) {
    return [notSupported(path.child('kind'), subject.kind ?? '', Object.keys(SUBJECTS))];
  }
  const kind = subject.kind as SubjectKind;
  const others = (Object.keys(SUBJECTS) as SubjectKind[]).filter((each) => each !== kind);
  return [
    ...(kind === 'ServiceAccount'
      ? validateServiceAccount(subject.serviceAccount, path.child('serviceAccount'))
      : validateNamed(kind, subject, path)),
    ...others
      .filter((other) => subject[SUBJECTS[other]])
      .map((other) =>
        forbidden(
          path.child(SUBJECTS[other]),
          `${SUBJECTS[other]} is forbidden when subject kind is not '${other}'`,
        ),
      ),
  ];
}

function validateNamespaces(rule: ResourcePolicyRule, path: Path): FieldError[] {
  if (list(rule.namespaces).length === 0 && !rule.clusterScope) {
    const text = 'resource rules that are not cluster scoped must supply at least one namespace';
    return [required(path, text)];
  }
  if (isAll(rule.namespaces)) return lonely(rule.namespaces, 'namespaces', path);
  return eachOf(rule.namespaces, (name, i) =>
    dnsLabel(name).map((message) =>
      invalid(
        path.index(i),
        name,
        `each member of this list must be '*' or a DNS-1123 label; ${message}`,
      ),
    ),
  );
}

function validateResourceRule(rule: ResourcePolicyRule, path: Path): FieldError[] {
  const groups = path.child('apiGroups');
  const resources = path.child('resources');
  return [
    ...validateVerbs(rule.verbs, path.child('verbs')),
    ...(list(rule.apiGroups).length === 0
      ? [required(groups, 'resource rules must supply at least one api group')]
      : lonely(rule.apiGroups, 'api groups', groups)),
    ...(list(rule.resources).length === 0
      ? [required(resources, 'resource rules must supply at least one resource')]
      : lonely(rule.resources, 'resources', resources)),
    ...validateNamespaces(rule, path.child('namespaces')),
  ];
}

function urlFault(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const wildcards = url.split('*').length - 1;
  return wildcards > 1 || (wildcards === 1 && !url.endsWith('/*'))
    ? 'wildcard can only do suffix matching'
    : undefined;
}

function validateNonResourceRule(rule: NonResourcePolicyRule, path: Path): FieldError[] {
  const urls = path.child('nonResourceURLs');
  const found = validateVerbs(rule.verbs, path.child('verbs'));
  if (list(rule.nonResourceURLs).length === 0) {
    return [...found, required(urls, 'nonResourceURLs must contain at least one value')];
  }
  if (isAll(rule.nonResourceURLs)) {
    return [...found, ...lonely(rule.nonResourceURLs, 'non-resource URLs', urls)];
  }
  const faults = eachOf(rule.nonResourceURLs, (url, i) => {
    const fault = urlFault(String(url));
    return fault === undefined ? [] : [invalid(urls.index(i), url, fault)];
  });
  return [...found, ...faults];
}

function validateRule(rule: PolicyRulesWithSubjects, path: Path): FieldError[] {
  const isEmpty = list(rule.resourceRules).length + list(rule.nonResourceRules).length === 0;
  return [
    ...when(
      list(rule.subjects).length === 0,
      required(path.child('subjects'), 'subjects must contain at least one value'),
    ),
    ...eachOf(rule.subjects, (each, i) => validateSubject(each, path.child('subjects').index(i))),
    ...when(
      isEmpty,
      required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'),
    ),
    ...eachOf(rule.resourceRules, (each, i) =>
      validateResourceRule(each, path.child('resourceRules').index(i)),
    ),
    ...eachOf(rule.nonResourceRules, (each, i) =>
      validateNonResourceRule(each, path.child('nonResourceRules').index(i)),
    ),
  ];
}

/** Upstream prints the whole of its internal type here. */
const validateMethod = (type: string): FieldError[] =>
  when(
    !METHODS.includes(type),
    notSupported(SPEC.child('distinguisherMethod', 'type'), { Type: type }, METHODS),
  );

function validateSpec(name: string, spec: Partial<FlowSchemaSpec>): FieldError[] {
  const at = SPEC.child('matchingPrecedence');
  const precedence = spec.matchingPrecedence ?? 0;
  const level = SPEC.child('priorityLevelConfiguration', 'name');
  const levelName = spec.priorityLevelConfiguration?.name;
  return [
    ...when(precedence <= 0, invalid(at, precedence, 'must be a positive value')),
    ...when(
      precedence > MAX_PRECEDENCE,
      invalid(at, precedence, `must not be greater than ${MAX_PRECEDENCE}`),
    ),
    ...when(
      precedence === 1 && name !== 'exempt',
      invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"),
    ),
    ...(spec.distinguisherMethod
      ? validateMethod(String(spec.distinguisherMethod.type ?? ''))
      : []),
    ...(levelName
      ? check(dnsSubdomain, levelName, level)
      : [required(level, 'must reference a priority level')]),
    ...eachOf(spec.rules, (rule, i) => validateRule(rule, SPEC.child('rules').index(i))),
  ];
}

/** Conditions of FlowSchemas and of priority levels: named, each once. */
export const validateFlowConditions = (
  conditions: readonly { readonly type?: string }[] | undefined,
): FieldError[] => {
  const at = (i: number): Path => STATUS.child('conditions').index(i).child('type');
  return [
    ...duplicates(conditions, ({ type }) => type ?? '', at),
    ...eachOf(conditions, ({ type }, i) => present(type, at(i), 'must not be empty')),
  ];
};

/** k8s pkg/apis/flowcontrol/validation/validation.go:ValidateFlowSchema. */
export function validateFlowSchema(object: FlowSchema): FieldError[] {
  const name = object.metadata.name ?? '';
  const fixed = mandatoryFlowSchemas().find((each) => each.metadata.name === name);
  return [
    ...validateSpec(name, object.spec ?? {}),
    ...when(
      fixed !== undefined && !isDeepEqual(object.spec, fixed.spec),
      invalid(
        SPEC,
        internalForm(object.spec ?? {}, 'flowcontrol/v1.FlowSchemaSpec'),
        `spec of '${name}' must equal the fixed value`,
      ),
    ),
    ...validateFlowConditions(object.status?.conditions),
  ];
}
