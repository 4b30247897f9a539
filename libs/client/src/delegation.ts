import type { SubjectAccessReview, TokenReview } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from './client.js';

/** Somebody, as the API server knows them. */
export interface KnownUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, string[]>>;
}

export const AUTHENTICATED = 'system:authenticated';

/** Whom the API server knows by the token; undefined = nobody (k8s apiserver pkg/authentication/token/tokenreview). */
export async function whoseToken(
  client: KubeClient,
  token: string,
): Promise<KnownUser | undefined> {
  const body: TokenReview = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: {},
    spec: { token },
  };
  const { status } = await client.resource(resources.tokenreviews).create(body);
  const { username, uid, groups = [], extra } = status?.user ?? {};
  if (!status?.authenticated || !username) return undefined;
  return {
    name: username,
    groups: groups.includes(AUTHENTICATED) ? groups : [...groups, AUTHENTICATED],
    ...(uid ? { uid } : {}),
    ...(extra ? { extra } : {}),
  };
}

type Attributes = Pick<SubjectAccessReview['spec'], 'resourceAttributes' | 'nonResourceAttributes'>;

/** Whether the API server lets the user do that (SubjectAccessReview). */
export async function mayDo(
  client: KubeClient,
  { name, uid, groups, extra }: KnownUser,
  attributes: Attributes,
): Promise<boolean> {
  const body: SubjectAccessReview = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: {
      user: name,
      groups: [...groups],
      ...(uid === undefined ? {} : { uid }),
      ...(extra ? { extra: { ...extra } } : {}),
      ...attributes,
    },
  };
  const { status } = await client.resource(resources.subjectaccessreviews).create(body);
  return status?.allowed === true;
}
