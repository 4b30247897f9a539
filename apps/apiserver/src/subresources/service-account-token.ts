import { randomUUID } from 'node:crypto';
import type { KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  invalid,
  isNotFound,
  isPathSegmentName,
  newBadRequest,
  newConflict,
  newInvalid,
  newNotFound,
} from '@orrery/apimachinery';
import type { Node, Pod, Secret, ServiceAccount, TokenRequest } from '@orrery/api';
import { parseDuration, toTime } from '@orrery/component';
import type { NamedUid, ServiceAccountTokenSigner, SignOptions, TokenBinding } from '@orrery/pki';
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
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
}

type Refusal = Parameters<typeof newInvalid>[2][number];

const refuse = (name: string, error: Refusal): never => {
  throw newInvalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, [error]);
};

function checkExpiration(seconds: number): void {
  const path = FieldPath.of('spec', 'expirationSeconds');
  if (seconds < LEAST)
    refuse('', invalid(path, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32)
    refuse('', invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds'));
}

/** A name in the body is the account's. */
function checkName({ metadata }: TokenRequest, name: string): void {
  if (!metadata?.name || metadata.name === name) return;
  const detail = 'must match the service account name if specified';
  refuse(name, invalid(FieldPath.of('metadata', 'name'), metadata.name, detail));
}

/** A uid in the body is the account's (gate TokenRequestServiceAccountUIDValidation). */
function checkUid({ metadata }: TokenRequest, { name, uid }: NamedUid): void {
  if (!metadata?.uid || metadata.uid === uid) return;
  throw newConflict(
    { group: 'authentication.k8s.io', resource: 'TokenRequest' },
    name,
    `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`,
  );
}

/** `/v1, Kind=Pod` (k8s schema.GroupVersionKind.String). */
function typeOf({ apiVersion = '', kind = '' }: Reference): string {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return `${group}/${version}, Kind=${kind}`;
}

async function find(
  { services }: TokenDeps,
  plural: string,
  namespace: string | undefined,
  { kind = '', name = '', uid }: Reference,
): Promise<KubeObject> {
  if (name === '') throw newBadRequest('Name parameter required.');
  const problems = isPathSegmentName(name);
  if (problems.length > 0)
    throw newBadRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${problems.join(';')}`);
  const { object } = await services.store('', 'v1', plural).get(namespace, name);
  if (uid && uid !== object.metadata.uid)
    throw newConflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return object;
}

const named = (object: KubeObject): NamedUid => ({
  name: object.metadata.name ?? '',
  uid: object.metadata.uid ?? '',
});

/** The node of a pod; its name alone where the object is gone. */
async function nodeOf(deps: TokenDeps, pod: Pod): Promise<Pick<TokenBinding, 'node'>> {
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) return {};
  try {
    const { object } = await deps.services.store('', 'v1', 'nodes').get(undefined, nodeName);
    return { node: named(object) };
  } catch (error) {
    if (isNotFound(error)) return { node: { name: nodeName } };
    throw error;
  }
}

/** k8s pkg/registry/core/serviceaccount/storage/token.go:TokenREST.Create; the version of a reference does not count. */
async function bindTo(
  deps: TokenDeps,
  account: ServiceAccount,
  reference: Reference | null | undefined,
): Promise<TokenBinding> {
  if (!reference) return {};
  const namespace = account.metadata.namespace ?? '';
  const isCore = !(reference.apiVersion ?? '').includes('/');
  switch (isCore ? reference.kind : undefined) {
    case 'Pod': {
      const pod = (await find(deps, 'pods', namespace, reference)) as Pod;
      if ((pod.spec?.serviceAccountName ?? '') !== account.metadata.name)
        throw newBadRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
        );
      return { pod: named(pod), ...(await nodeOf(deps, pod)) };
    }
    case 'Secret':
      return { secret: named((await find(deps, 'secrets', namespace, reference)) as Secret) };
    case 'Node':
      return { node: named((await find(deps, 'nodes', undefined, reference)) as Node) };
    default:
      throw newBadRequest(`cannot bind token to object of type ${typeOf(reference)}`);
  }
}

interface Lifetime {
  /** What the answer tells. */
  readonly expirationSeconds: number;
  /** What the token says of itself. */
  readonly signed: Pick<SignOptions, 'expirationSeconds' | 'warnAfterSeconds'>;
}

/** Tokens of pods for the server itself that ask for the hour of old clients live on, and warn. */
function lifetimeOf(
  { services, audiences }: TokenDeps,
  wish: number,
  {
    wanted,
    isPods,
    warn,
  }: { wanted: readonly string[]; isPods: boolean; warn: (text: string) => void },
): Lifetime {
  const { options } = services;
  const longest = (parseDuration(options.serviceAccountMaxTokenExpiration) ?? 0) / 1000;
  const expirationSeconds = longest > 0 ? Math.min(wish, longest) : wish;
  if (expirationSeconds < wish)
    warn(
      `requested expiration of ${String(wish)} seconds shortened to ${String(expirationSeconds)} seconds`,
    );
  const isExtended =
    options.serviceAccountExtendTokenExpiration &&
    isPods &&
    expirationSeconds === WARN_ONLY &&
    wanted.every((one) => audiences.includes(one));
  return {
    expirationSeconds,
    signed: isExtended
      ? { expirationSeconds: YEAR, warnAfterSeconds: WARN_ONLY }
      : { expirationSeconds },
  };
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
    async handle({ body, request }) {
      const { namespace, name } = request.info;
      const asked = body as KubeObject as TokenRequest;
      checkName(asked, name);
      const { services } = deps;
      const account = (await services.store('', 'v1', 'serviceaccounts').get(namespace, name))
        .object as ServiceAccount;
      if (!account.metadata.uid)
        throw newNotFound({ group: '', resource: 'serviceaccounts' }, name);
      checkUid(asked, named(account));
      const wish = asked.spec?.expirationSeconds ?? HOUR;
      checkExpiration(wish);
      const { user } = request.context;
      await checkNodeToken(
        { authorizer: deps.authorizer, store: (...id) => services.store(...id) },
        { user, name, namespace: namespace ?? '', spec: asked.spec },
      );
      const { boundObjectRef, audiences } = asked.spec ?? {};
      const binding = await bindTo(deps, account, boundObjectRef);
      const now = services.clock.now();
      const wanted = audiences?.length ? audiences : [...deps.audiences];
      const { expirationSeconds, signed } = lifetimeOf(deps, wish, {
        wanted,
        isPods: binding.pod !== undefined,
        warn: (text) => request.context.warn(text),
      });
      const id = randomUUID();
      const token = await deps.signer.sign({
        serviceAccount: { namespace, ...named(account) },
        binding,
        audiences: wanted,
        now,
        id,
        ...signed,
      });
      request.context.annotate?.('authentication.kubernetes.io/issued-credential-id', `JTI=${id}`);
      const { uid } = account.metadata;
      return {
        status: 201,
        object: {
          kind: 'TokenRequest',
          apiVersion: 'authentication.k8s.io/v1',
          metadata: { ...asked.metadata, name, namespace, uid, creationTimestamp: toTime(now) },
          spec: { ...asked.spec, audiences: wanted, expirationSeconds },
          status: { token, expirationTimestamp: toTime(now + expirationSeconds * 1000) },
        },
      };
    },
  };
}
