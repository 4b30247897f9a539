import type { Node, Pod, Secret, ServiceAccount } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { TokenError } from '@orrery/pki';
import type {
  KubernetesClaim,
  ServiceAccountClaims,
  ServiceAccountTokenVerifier,
} from '@orrery/pki';
import type { UserInfo } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import type { TokenAuthenticator, TokenNotes, TokenUser } from '../token.js';
import type { TokenUse } from './token-use.js';

/** What a token's objects are looked up in. */
export interface BoundObjects {
  readonly serviceAccounts: Pick<LiveReader<ServiceAccount>, 'find'>;
  readonly pods: Pick<LiveReader<Pod>, 'find'>;
  readonly secrets: Pick<LiveReader<Secret>, 'find'>;
  readonly nodes: Pick<LiveReader<Node>, 'find'>;
}

/** A deleted object keeps its tokens alive this long past its end (k8s pkg/serviceaccount/claims.go). */
const DELETED_LEEWAY_MS = 60_000;

const AUTH = 'authentication.kubernetes.io';

function userOf(claims: ServiceAccountClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims.kubernetes;
  const extra: Record<string, string[]> = {};
  if (claims.id) extra[`${AUTH}/credential-id`] = [`JTI=${claims.id}`];
  if (node) {
    extra[`${AUTH}/node-name`] = [node.name];
    if (node.uid) extra[`${AUTH}/node-uid`] = [node.uid];
  }
  if (pod) {
    extra[`${AUTH}/pod-name`] = [pod.name];
    extra[`${AUTH}/pod-uid`] = [pod.uid];
  }
  return {
    name: claims.subject,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** Bound and legacy service-account tokens, good while the account and what they are bound to exist. */
export class ServiceAccountAuthenticator implements TokenAuthenticator {
  constructor(
    private readonly verifier: ServiceAccountTokenVerifier,
    /** Undefined: tokens are good until they expire (--service-account-lookup=false). */
    private readonly objects: BoundObjects | undefined,
    private readonly clock: Clock,
    /** Told of each token that is taken. */
    private readonly use?: TokenUse,
  ) {}

  async authenticateToken(
    token: string,
    audiences: readonly string[],
    notes?: TokenNotes,
  ): Promise<TokenUser | undefined> {
    if (!this.verifier.looksOurs(token)) return undefined;
    const claims = await this.verifier.verify(token, { audiences, now: this.clock.now() });
    this.use?.claimed(claims, notes);
    if (this.objects && claims.legacy)
      await this.#checkSecret(this.objects, claims.kubernetes, token, notes);
    else if (this.objects) await this.#checkObjects(this.objects, claims.kubernetes);
    return { user: userOf(claims), audiences: claims.audiences };
  }

  /** Of a token in a Secret, which must hold it. */
  async #checkSecret(
    objects: BoundObjects,
    { namespace, serviceaccount, secret }: KubernetesClaim,
    token: string,
    notes: TokenNotes | undefined,
  ): Promise<void> {
    const found = await objects.secrets.find(secret?.name ?? '', namespace);
    if (!found || found.metadata.deletionTimestamp)
      throw new TokenError('Token has been invalidated');
    if (Buffer.from(found.data?.['token'] ?? '', 'base64').toString() !== token)
      throw new TokenError("Token does not match server's copy");
    const account = await objects.serviceAccounts.find(serviceaccount.name, namespace);
    this.#alive('service account', account, serviceaccount.uid);
    if (account) await this.use?.ofSecret(found, account, notes);
  }

  async #checkObjects(objects: BoundObjects, claim: KubernetesClaim): Promise<void> {
    const { namespace, serviceaccount, pod, secret, node } = claim;
    const account = await objects.serviceAccounts.find(serviceaccount.name, namespace);
    this.#alive('service account', account, serviceaccount.uid);
    if (pod) this.#alive('pod', await objects.pods.find(pod.name, namespace), pod.uid);
    if (secret) {
      const found = await objects.secrets.find(secret.name, namespace);
      this.#alive('secret', found, secret.uid);
    }
    // A node claim beside a pod only informs; alone it binds.
    if (node?.uid && !pod) this.#alive('node', await objects.nodes.find(node.name), node.uid);
  }

  #alive(
    what: string,
    object: ServiceAccount | Pod | Secret | Node | undefined,
    uid: string,
  ): void {
    if (!object) throw new TokenError(`the ${what} of the token does not exist`);
    if (uid !== '' && object.metadata.uid !== uid)
      throw new TokenError(`the ${what} of the token has another UID`);
    const { deletionTimestamp } = object.metadata;
    if (deletionTimestamp && Date.parse(deletionTimestamp) + DELETED_LEEWAY_MS < this.clock.now())
      throw new TokenError(`the ${what} of the token has been deleted`);
  }
}
