import type { PolicyRule } from '@orrery/api';
import { ConfigError } from '@orrery/component';
import { isMapping } from '../config/configuration-file.js';
import type { Mapping } from '../config/configuration-file.js';
import type { UserInfo } from '@orrery/registry';
import { readFlagFile } from '../config/tls.js';
import type { AuthorizationAttributes, Authorizer, Decision } from '../filters/authorization.js';

/** One line of a policy file; `*` is everything, '' nothing. */
interface Policy {
  readonly user: string;
  readonly group: string;
  readonly namespace: string;
  readonly resource: string;
  readonly apiGroup: string;
  readonly nonResourcePath: string;
  readonly readonly: boolean;
}

const FLAG = 'authorization-policy-file';
const V1BETA1 = 'abac.authorization.kubernetes.io/v1beta1';
const AUTHENTICATED = 'system:authenticated';
const READING = ['get', 'list', 'watch'];

function fieldsOf(given: Mapping): Policy {
  const text = (field: string): string => {
    const value = given[field] ?? '';
    if (typeof value !== 'string') throw new Error(`${field} must be a string`);
    return value;
  };
  const readonly = given['readonly'] ?? false;
  if (typeof readonly !== 'boolean') throw new Error('readonly must be true or false');
  const isAnyone = text('user') === '*' || text('group') === '*';
  return {
    user: isAnyone ? '' : text('user'),
    group: isAnyone ? AUTHENTICATED : text('group'),
    namespace: text('namespace'),
    resource: text('resource'),
    apiGroup: text('apiGroup'),
    nonResourcePath: text('nonResourcePath'),
    readonly,
  };
}

/** The form without a version: what is absent is everything (k8s pkg/apis/abac/v0/conversion.go). */
function unversioned(given: Mapping): Policy {
  const { user, group, namespace, resource, readonly } = fieldsOf(given);
  return {
    user,
    group: user === '' && group === '' ? AUTHENTICATED : group,
    namespace: namespace || '*',
    resource: resource || '*',
    apiGroup: '*',
    nonResourcePath: namespace === '' && resource === '' ? '*' : '',
    readonly,
  };
}

function policyOf(line: string): Policy {
  const value: unknown = JSON.parse(line);
  if (!isMapping(value)) throw new Error('must be a JSON object');
  const { apiVersion, kind, spec } = value;
  if (!apiVersion || !kind) return unversioned(value);
  if (apiVersion !== V1BETA1 || kind !== 'Policy')
    throw new Error(
      `no kind ${JSON.stringify(kind)} is registered for ${JSON.stringify(apiVersion)}`,
    );
  return fieldsOf(isMapping(spec) ? spec : {});
}

/** A JSON object a line; empty lines and those that begin with # are passed over. Throws ConfigError. */
function readPolicies(path: string): Policy[] {
  const lines = readFlagFile(FLAG, path).toString('utf8').split('\n');
  return lines.flatMap((line, i) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return [];
    try {
      return [policyOf(text)];
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ConfigError(
        `--${FLAG}: error reading policy file ${path}, line ${i + 1}: ${text}: ${why}`,
        { cause: error },
      );
    }
  });
}

function isAbout({ user, group }: Policy, { name, groups }: UserInfo): boolean {
  if (user !== '' && user !== name) return false;
  if (group !== '' && !groups.includes(group)) return false;
  return user !== '' || group !== '';
}

const takes = (wanted: string, given: string): boolean => wanted === '*' || wanted === given;

function takesPath(wanted: string, path: string): boolean {
  const isPrefix = wanted.endsWith('*') && path.startsWith(wanted.replace(/\*+$/, ''));
  return wanted === path || isPrefix;
}

/** Attribute-based access by a file that is read at the start (k8s pkg/auth/authorizer/abac/abac.go). */
export class AbacAuthorizer implements Authorizer {
  private readonly policies: readonly Policy[];

  constructor(path: string) {
    this.policies = readPolicies(path);
  }

  authorize({ user, info }: AuthorizationAttributes): Decision {
    const isRead = READING.includes(info.verb);
    const allowed = this.policies.some((policy) => {
      if (!isAbout(policy, user) || (policy.readonly && !isRead)) return false;
      if (!info.isResource) return takesPath(policy.nonResourcePath, info.path);
      return (
        takes(policy.namespace, info.namespace) &&
        takes(policy.resource, info.resource) &&
        takes(policy.apiGroup, info.group)
      );
    });
    return allowed ? { allowed } : { allowed, reason: 'No policy matched.' };
  }

  /** What a user may, as a SelfSubjectRulesReview lists it. */
  rulesFor(user: UserInfo, namespace: string): PolicyRule[] {
    return this.policies
      .filter((policy) => isAbout(policy, user) && takes(policy.namespace, namespace))
      .flatMap(({ apiGroup, resource, nonResourcePath, readonly }): PolicyRule[] => {
        const verbs = readonly ? READING : ['*'];
        return [
          ...(resource === '' ? [] : [{ verbs, apiGroups: [apiGroup], resources: [resource] }]),
          ...(nonResourcePath === '' ? [] : [{ verbs, nonResourceURLs: [nonResourcePath] }]),
        ];
      });
  }
}
