import { isNotFound, newForbidden, newNotFound } from '@orrery/apimachinery';
import type {
  CSIDriver,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  TokenRequest,
  Volume,
} from '@orrery/api';
import type { ResourceStore, UserInfo } from '@orrery/registry';
import { resourceAttributes } from '../authz/attributes.js';
import { nodeNameOf } from '../authz/node/node.authorizer.js';
import type { Authorizer } from '../filters/authorization.js';

export interface NodeTokenDeps {
  readonly authorizer: Authorizer;
  store(group: string, version: string, plural: string): Pick<ResourceStore, 'get'>;
}

export interface NodeTokenRequest {
  readonly user: UserInfo;
  /** Of the service account. */
  readonly name: string;
  readonly namespace: string;
  readonly spec: TokenRequest['spec'] | undefined;
}

type Id = readonly [group: string, plural: string, name: string, namespace?: string];

async function find<T>(
  deps: NodeTokenDeps,
  [group, plural, name, namespace]: Id,
): Promise<T | undefined> {
  try {
    const { object } = await deps.store(group, 'v1', plural).get(namespace, name);
    return object as unknown as T;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The CSI driver that serves a volume, itself or by its claim. */
async function driverOf(deps: NodeTokenDeps, pod: Pod, volume: Volume): Promise<string> {
  if (volume.csi) return volume.csi.driver;
  const claimName = volume.ephemeral
    ? `${pod.metadata.name ?? ''}-${volume.name}`
    : volume.persistentVolumeClaim?.claimName;
  if (!claimName) return '';
  const id = ['', 'persistentvolumeclaims', claimName, pod.metadata.namespace ?? ''] as const;
  const claim = await find<PersistentVolumeClaim>(deps, id);
  const { volumeName = '' } = claim?.spec ?? {};
  if (volumeName === '') return '';
  const found = await find<PersistentVolume>(deps, ['', 'persistentvolumes', volumeName]);
  return found?.spec?.csi?.driver ?? '';
}

/** True for an audience that a volume of the pod needs tokens for. */
async function needsAudience(deps: NodeTokenDeps, pod: Pod, audience: string): Promise<boolean> {
  const volumes = pod.spec?.volumes ?? [];
  const isProjected = volumes.some((volume) =>
    (volume.projected?.sources ?? []).some(
      ({ serviceAccountToken: token }) => token && (token.audience ?? '') === audience,
    ),
  );
  if (isProjected) return true;
  for (const volume of volumes) {
    const name = await driverOf(deps, pod, volume);
    const driver =
      name === '' ? undefined : await find<CSIDriver>(deps, ['storage.k8s.io', 'csidrivers', name]);
    const asked = driver?.spec?.tokenRequests ?? [];
    if (asked.some((one) => (one.audience ?? '') === audience)) return true;
  }
  return false;
}

/** Whether the node may ask for tokens for an audience that its pod does not name. */
async function mayAsk(
  { authorizer }: NodeTokenDeps,
  { user, name, namespace }: NodeTokenRequest,
  audience: string,
): Promise<boolean> {
  const info = resourceAttributes({
    verb: 'request-serviceaccounts-token-audience',
    group: '',
    version: 'v1',
    resource: audience,
    namespace,
    name,
  });
  return (await authorizer.authorize({ user, info })).allowed;
}

type Reference = NonNullable<TokenRequest['spec']>['boundObjectRef'];

const referenceProblem = (reference: Reference): string | undefined => {
  const { kind, apiVersion, name, uid } = reference ?? {};
  if (apiVersion !== 'v1' || kind !== 'Pod' || !name)
    return 'node requested token not bound to a pod';
  return uid ? undefined : 'node requested token with a pod binding without a uid';
};

function podProblem(pod: Pod, uid: string, node: string): string | undefined {
  if (pod.metadata.uid !== uid)
    return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  return pod.spec?.nodeName === node
    ? undefined
    : 'node requested token bound to a pod scheduled on a different node';
}

async function audienceProblem(
  deps: NodeTokenDeps,
  request: NodeTokenRequest,
  pod: Pod,
): Promise<string | undefined> {
  const [audience = '', ...others] = request.spec?.audiences ?? [];
  if (others.length > 0) return 'node may only request 0 or 1 audiences';
  if (await needsAudience(deps, pod, audience)) return undefined;
  return (await mayAsk(deps, request, audience))
    ? undefined
    : `audience ${JSON.stringify(audience)} not found in pod spec volume, ${request.user.name} is not authorized to request tokens for this audience`;
}

/**
 * A node gets tokens only for one of its pods, and only for what that pod shows them to
 * (k8s plugin/pkg/admission/noderestriction/admission.go:admitServiceAccount, validateNodeServiceAccountAudience).
 */
export async function checkNodeToken(
  deps: NodeTokenDeps,
  request: NodeTokenRequest,
): Promise<void> {
  const { user, name, namespace, spec } = request;
  const node = nodeNameOf(user);
  if (node === undefined) return;
  const refuse = (why: string | undefined): void => {
    if (why !== undefined)
      throw newForbidden({ group: '', resource: 'serviceaccounts' }, name, why);
  };
  refuse(referenceProblem(spec?.boundObjectRef));
  const { name: podName = '', uid = '' } = spec?.boundObjectRef ?? {};
  const pod = await find<Pod>(deps, ['', 'pods', podName, namespace]);
  if (!pod) throw newNotFound({ group: '', resource: 'pods' }, podName);
  refuse(podProblem(pod, uid, node));
  refuse(await audienceProblem(deps, request, pod));
}
