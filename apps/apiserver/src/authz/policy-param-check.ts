import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, newInvalid, toApiVersion } from '@orrery/apimachinery';
import type {
  KindDescriptor,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, UserInfo } from '@orrery/registry';
import { equalJson } from '@orrery/registry';
import type { Authorizer } from '../filters/authorization.js';
import type { ClusterViews } from '../live-view/cluster-views.js';
import { resourceAttributes } from './attributes.js';

const GROUP = 'admissionregistration.k8s.io';
const PARAM_KIND = FieldPath.of('spec', 'paramKind');
const PARAM_REF = FieldPath.of('spec', 'paramRef');

type Policy = ValidatingAdmissionPolicy | MutatingAdmissionPolicy;
type Binding = ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding;

export interface PolicyParamCheckDeps {
  readonly authorizer: Authorizer;
  readonly views: Pick<ClusterViews, 'validatingPolicies' | 'mutatingPolicies'>;
  kinds(this: void): readonly KindDescriptor[];
}

/** How Go's %v prints upstream's user. */
function printUser({ name, uid = '', groups, extra = {} }: UserInfo): string {
  const extras = Object.entries(extra)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, values]) => `${key}:[${values.join(' ')}]`);
  return `&{${name} ${uid} [${groups.join(' ')}] map[${extras.join(' ')}]}`;
}

/**
 * Expressions of policies read their parameters with the server's rights, and tell of them. So whoever writes a
 * policy must be allowed to read all of the kind, and whoever binds one the objects that are referred to
 * (k8s pkg/registry/admissionregistration/{validating,mutating}admissionpolicy{,binding}/authz.go).
 */
export class PolicyParamCheck implements AdmissionPlugin {
  readonly name = 'PolicyParamCheck';

  constructor(private readonly deps: PolicyParamCheckDeps) {}

  handles(operation: string): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { kind, object, subresource, context, name } = attributes;
    if (kind.group !== GROUP || subresource !== '' || !object) return;
    if (context.user.groups.includes('system:masters')) return;
    const fault = kind.kind.endsWith('PolicyBinding')
      ? await this.bindingFault(attributes, object as Binding)
      : await this.policyFault(attributes, object as Policy);
    if (fault) throw newInvalid({ group: GROUP, kind: kind.kind }, name, [fault]);
  }

  private async policyFault(
    { oldObject, context }: AdmissionAttributes,
    { spec }: Policy,
  ): Promise<FieldError | undefined> {
    const param = spec?.paramKind;
    if (!param || equalJson(param, (oldObject as Policy | undefined)?.spec?.paramKind ?? null))
      return undefined;
    const { apiVersion = '', kind = '' } = param;
    const about = this.about(param);
    if (await this.may(context.user, { verb: 'get', name: '*', namespace: '*', ...about }))
      return undefined;
    return forbidden(
      PARAM_KIND,
      `user ${printUser(context.user)} must have "get" permission on all objects of the referenced paramKind (kind=${kind}, apiVersion=${apiVersion})`,
    );
  }

  /** Asks in every update: upstream compares references by where they are in memory. */
  private async bindingFault(
    { kind, context }: AdmissionAttributes,
    { spec }: Binding,
  ): Promise<FieldError | undefined> {
    const ref: ParamRef | undefined = spec?.paramRef;
    if (!ref) return undefined;
    const { validatingPolicies, mutatingPolicies } = this.deps.views;
    const policies = kind.kind.startsWith('Mutating') ? mutatingPolicies : validatingPolicies;
    const policy = await policies.find(spec?.policyName ?? '');
    const verb = ref.name ? 'get' : 'list';
    const { name = '', namespace = '' } = ref;
    const about = this.about(policy?.spec?.paramKind);
    if (await this.may(context.user, { verb, name, namespace, ...about })) return undefined;
    // Upstream hands over verb and user in the wrong order.
    return forbidden(
      PARAM_REF,
      `user ${verb} does not have "${printUser(context.user)}" permission on the object referenced by paramRef`,
    );
  }

  /** What is to be read; everything where that cannot be told. */
  private about(param: ParamKind | undefined): {
    readonly group: string;
    readonly version: string;
    readonly resource: string;
  } {
    const { apiVersion, kind } = param ?? {};
    if (apiVersion === undefined) return { group: '*', version: '*', resource: '*' };
    const parts = apiVersion.split('/');
    const [group = '', version = ''] = parts.length > 1 ? parts : ['', apiVersion];
    const found = this.deps
      .kinds()
      .find((one) => one.kind === kind && toApiVersion(one.group, one.version) === apiVersion);
    return { group, version, resource: found?.plural ?? '*' };
  }

  private async may(
    user: UserInfo,
    asked: Parameters<typeof resourceAttributes>[0],
  ): Promise<boolean> {
    const { allowed } = await this.deps.authorizer.authorize({
      user,
      info: resourceAttributes(asked),
    });
    return allowed;
  }
}
