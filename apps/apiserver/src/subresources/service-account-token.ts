import type { KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  invalid,
  newBadRequest,
  newConflict,
  newInvalid,
  newNotFound,
} from '@orrery/apimachinery';
import type { Node, Pod, Secret, ServiceAccount, TokenRequest } from '@orrery/api';
import { parseDuration, toTime } from '@orrery/component';
import type { ServiceAccountTokenSigner, TokenBinding } from '@orrery/pki';
import { requestKindOf } from '../authz/access-reviews.js';
import type { Authorizer } from '../filters/authorization.js';
import type { ServerServices } from '../extensions.js';
import type { SubresourceHandler } from '../subresources.js';
import { checkNodeToken } from './node-token.js';

const HOUR = 3600;
const LEAST = 600;
/** What clients ask for whose library cannot refresh: such tokens live a year and warn after the hour (k8s serviceaccount.WarnOnlyBoundTokenExpirationSeconds). */
const WARN_ONLY = 3607;
const YEAR = 365 * 24 * HOUR;

export interface TokenDeps {
  readonly services: ServerServices;
  readonly signer: ServiceAccountTokenSigner;
  readonly audiences: readonly string[];
  readonly authorizer: Authorizer;
}

interface Reference {
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
}

function checkExpiration(seconds: number): void {
  const path = FieldPath.of('spec', 'expirationSeconds');
  const refuse = (detail: string): never => {
    throw newInvalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
      invalid(path, seconds, detail),
    ]);
  };
  if (seconds < LEAST) refuse('may not specify a duration less than 10 minutes');
  if (seconds > 2 ** 32) refuse('may not specify a duration larger than 2^32 seconds');
}

async function find(
  { services }: TokenDeps,
  plural: string,
  namespace: string | undefined,
  reference: Reference,
): Promise<KubeObject> {
  const name = reference.name ?? '';
  const { object } = await services.store('', 'v1', plural).get(namespace, name);
  if (reference.uid && reference.uid !== object.metadata.uid)
    throw newConflict(
      { group: '', resource: plural },
      name,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return object;
}

const named = (object: KubeObject): { name: string; uid: string } => ({
  name: object.metadata.name ?? '',
  uid: object.metadata.uid ?? '',
});

async function bindTo(
  deps: TokenDeps,
  account: ServiceAccount,
  reference: Reference | null | undefined,
): Promise<TokenBinding> {
  if (!reference) return {};
  const namespace = account.metadata.namespace ?? '';
  switch (reference.kind) {
    case 'Pod': {
      const pod = (await find(deps, 'pods', namespace, reference)) as Pod;
      if ((pod.spec?.serviceAccountName ?? 'default') !== account.metadata.name)
        throw newBadRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
        );
      const nodeName = pod.spec?.nodeName;
      const node = nodeName
        ? await deps.services
            .store('', 'v1', 'nodes')
            .get(undefined, nodeName)
            .catch(() => undefined)
        : undefined;
      const uid = node?.object.metadata.uid;
      return {
        pod: named(pod),
        ...(nodeName ? { node: { name: nodeName, ...(uid ? { uid } : {}) } } : {}),
      };
    }
    case 'Secret':
      return { secret: named((await find(deps, 'secrets', namespace, reference)) as Secret) };
    case 'Node':
      return { node: named((await find(deps, 'nodes', undefined, reference)) as Node) };
    default:
      throw newBadRequest(`cannot bind token to object of type ${reference.kind ?? ''}`);
  }
}

/** POST serviceaccounts/token: a token bound to the account and, when asked, to a pod, secret or node. */
export function tokenHandler(deps: TokenDeps): SubresourceHandler {
  const { schema, message } = requestKindOf('authentication.k8s.io', 'TokenRequest');
  return {
    group: '',
    version: 'v1',
    resource: 'serviceaccounts',
    subresource: 'token',
    kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
    verbs: ['create'],
    body: { schema, message },
    async handle({ body, dryRun, request }) {
      const { namespace, name } = request.info;
      const asked = body as KubeObject as TokenRequest;
      const { boundObjectRef, audiences } = asked.spec ?? {};
      const wish = asked.spec?.expirationSeconds ?? HOUR;
      checkExpiration(wish);
      const { options } = deps.services;
      const longest = (parseDuration(options.serviceAccountMaxTokenExpiration) ?? 0) / 1000;
      const expirationSeconds = longest > 0 ? Math.min(wish, longest) : wish;
      const { user } = request.context;
      await checkNodeToken(
        { authorizer: deps.authorizer, store: (...id) => deps.services.store(...id) },
        { user, name, namespace: namespace ?? '', spec: asked.spec },
      );
      const account = (await deps.services.store('', 'v1', 'serviceaccounts').get(namespace, name))
        .object as ServiceAccount;
      if (!account.metadata.uid)
        throw newNotFound({ group: '', resource: 'serviceaccounts' }, name);
      const binding = await bindTo(deps, account, boundObjectRef);
      const now = deps.services.clock.now();
      const wanted = audiences?.length ? audiences : [...deps.audiences];
      const isExtended =
        options.serviceAccountExtendTokenExpiration &&
        wish === WARN_ONLY &&
        wanted.every((one) => deps.audiences.includes(one));
      const token = dryRun
        ? ''
        : await deps.signer.sign({
            serviceAccount: { namespace, ...named(account) },
            binding,
            audiences: wanted,
            now,
            expirationSeconds: isExtended ? YEAR : expirationSeconds,
            ...(isExtended ? { warnAfterSeconds: WARN_ONLY } : {}),
          });
      return {
        status: 201,
        object: {
          kind: 'TokenRequest',
          apiVersion: 'authentication.k8s.io/v1',
          metadata: { ...asked.metadata, name, namespace, creationTimestamp: toTime(now) },
          spec: { ...asked.spec, audiences: wanted, expirationSeconds },
          status: { token, expirationTimestamp: toTime(now + expirationSeconds * 1000) },
        },
      };
    },
  };
}
