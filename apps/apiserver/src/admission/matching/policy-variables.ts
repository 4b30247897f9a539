import { toApiVersion } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor, Namespace } from '@orrery/api';
import type { Activation, AuthorizationAnswer, AuthorizationCheck, Value } from '@orrery/cel';
import {
  AuthorizerValue,
  admissionRequestType,
  converterFor,
  dynFromJson,
  namespaceType,
} from '@orrery/cel';
import type { AdmissionAttributes, UserInfo } from '@orrery/registry';
import type { Authorizer } from '../../filters/authorization.js';
import { namespaceOf } from './request-matcher.js';
import { convertBetween } from './versioned-object.js';

/** A request as the expressions of one policy see it. */
export interface PolicyRequest {
  readonly attributes: AdmissionAttributes;
  /** The kind as which it matched. */
  readonly kind: KindDescriptor;
  readonly namespace?: Namespace | undefined;
  readonly params?: KubeObject | undefined;
}

/** Thrown out of an evaluation that needs an answer first; it is done again when the promise resolves. */
export class AnswerNeeded extends Error {
  constructor(readonly answer: Promise<void>) {
    super('an authorization check is under way');
  }
}

/** Answers the checks of one request; each is asked once. */
export class PolicyAuthorizer {
  private readonly known = new Map<string, AuthorizationAnswer>();

  constructor(
    private readonly authorizer: Authorizer,
    private readonly user: UserInfo,
  ) {}

  answer(check: AuthorizationCheck): AuthorizationAnswer {
    const key = JSON.stringify(check);
    const known = this.known.get(key);
    if (known) return known;
    throw new AnswerNeeded(
      this.ask(check).then((answer) => {
        this.known.set(key, answer);
      }),
    );
  }

  private async ask(check: AuthorizationCheck): Promise<AuthorizationAnswer> {
    const { serviceAccount: account, verb, path, group = '', resource = '' } = check;
    const isResource = path === undefined;
    const user = account ? serviceAccountUser(account.namespace, account.name) : this.user;
    const info = {
      isResource,
      path: path ?? '',
      verb,
      apiPrefix: isResource ? 'apis' : '',
      group,
      version: isResource ? '*' : '',
      namespace: check.namespace ?? '',
      resource,
      subresource: check.subresource ?? '',
      name: check.name ?? '',
      parts: [],
    };
    try {
      const { allowed, reason = '' } = await this.authorizer.authorize({ user, info });
      return { allowed, reason };
    } catch (error) {
      return {
        allowed: false,
        reason: '',
        error: error instanceof Error ? error.message : String(error),
      };
    }
  }
}

const serviceAccountUser = (namespace: string, name: string): UserInfo => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});

const gvk = ({ group, version, kind }: KindDescriptor): object => ({ group, version, kind });
const gvr = ({ group, version, plural }: KindDescriptor): object => ({
  group,
  version,
  resource: plural,
});

/** k8s apiserver pkg/admission/plugin/cel/condition.go:CreateAdmissionRequest. */
function requestOf({ attributes, kind }: PolicyRequest): Value {
  const { user } = attributes.context;
  const { objectKind } = attributes;
  return converterFor(admissionRequestType)({
    kind: objectKind ?? gvk(kind),
    resource: gvr(kind),
    subResource: attributes.subresource,
    requestKind: objectKind ?? gvk(attributes.kind),
    requestResource: gvr(attributes.kind),
    requestSubResource: attributes.subresource,
    name: attributes.name,
    namespace: namespaceOf(attributes),
    operation: attributes.operation,
    userInfo: {
      username: user.name,
      uid: user.uid ?? '',
      groups: user.groups,
      extra: user.extra ?? {},
    },
    dryRun: attributes.dryRun,
    options: attributes.options ?? null,
  });
}

function shaped(
  object: KubeObject | undefined,
  { attributes, kind }: PolicyRequest,
): KubeObject | undefined {
  if (!object || attributes.objectKind || attributes.kind === kind) return object;
  return convertBetween(object, attributes.kind, kind);
}

const typed = (object: KubeObject, kind: KindDescriptor): KubeObject => ({
  ...object,
  apiVersion: object.apiVersion ?? toApiVersion(kind.group, kind.version),
  kind: object.kind ?? kind.kind,
});

function namespaceValue(namespace: Namespace | undefined): Value {
  if (!namespace) return null;
  const { managedFields: _managed, ...metadata } = namespace.metadata;
  return converterFor(namespaceType)({ ...namespace, metadata });
}

/** The variables of a request; each is made when it is first named. */
export function policyVariables(request: PolicyRequest, authorizer: PolicyAuthorizer): Activation {
  const { attributes, kind, params } = request;
  const objectValue = (object: KubeObject | undefined): Value => {
    const found = shaped(object, request);
    return found ? dynFromJson(typed(found, kind)) : null;
  };
  const root = new AuthorizerValue((check) => authorizer.answer(check));
  const makers: Readonly<Record<string, () => Value>> = {
    object: () => objectValue(attributes.object),
    oldObject: () => objectValue(attributes.oldObject),
    request: () => requestOf(request),
    namespaceObject: () => namespaceValue(request.namespace),
    params: () => (params ? dynFromJson(params) : null),
    authorizer: () => root,
    'authorizer.requestResource': () =>
      root.resource({
        group: attributes.kind.group,
        resource: attributes.kind.plural,
        subresource: attributes.subresource,
        namespace: namespaceOf(attributes),
        name: attributes.name,
      }),
  };
  const made = new Map<string, Value>();
  return {
    get: (name) => {
      const known = made.get(name);
      if (known !== undefined) return known;
      const value = Object.hasOwn(makers, name) ? makers[name]?.() : undefined;
      if (value !== undefined) made.set(name, value);
      return value;
    },
  };
}
