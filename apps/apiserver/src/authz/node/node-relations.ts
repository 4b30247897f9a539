import type { KubeObject } from '@orrery/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@orrery/api';
import type { RequestInfo } from '../../filters/request-info.js';
import type { LiveReader } from '../../live-view/live-view.js';
import { podReferences, volumeSecrets } from './pod-references.js';
import type { PodReferences } from './pod-references.js';

/** Finds an object of a built-in kind; undefined when there is none. */
export type ObjectReader = (
  kind: { readonly group: string; readonly version: string; readonly plural: string },
  name: string,
  namespace?: string,
) => Promise<KubeObject | undefined>;

/** What can belong to a node, or to a pod on it. */
export type Related =
  | keyof PodReferences
  | 'serviceAccounts'
  | 'pods'
  | 'volumes'
  | 'attachments'
  | 'slices'
  | 'certificateRequests';

const CLAIM = { group: '', version: 'v1', plural: 'persistentvolumeclaims' };
const VOLUME = { group: '', version: 'v1', plural: 'persistentvolumes' };

/** Kinds whose objects name their node in spec.nodeName. */
const NAMING = {
  attachments: { group: 'storage.k8s.io', version: 'v1', plural: 'volumeattachments' },
  slices: { group: 'resource.k8s.io', version: 'v1', plural: 'resourceslices' },
  certificateRequests: {
    group: 'certificates.k8s.io',
    version: 'v1beta1',
    plural: 'podcertificaterequests',
  },
};

const MIRROR = 'kubernetes.io/config.mirror';

/**
 * Which objects are related to which nodes, as upstream's graph has them: node <- pod <- what it names,
 * pod <- claim <- volume <- secret, and objects that name their node (k8s plugin/pkg/auth/authorizer/node/graph.go).
 */
export class NodeRelations {
  private readonly references = new WeakMap<Pod, PodReferences>();

  constructor(
    private readonly pods: LiveReader<Pod>,
    private readonly read: ObjectReader,
  ) {}

  async has(node: string, kind: Related, info: RequestInfo): Promise<boolean> {
    switch (kind) {
      case 'pods':
        return this.podsOf(node, info.namespace).some(
          ({ metadata }) => metadata.name === info.name,
        );
      case 'serviceAccounts':
        return this.ownersOn(node, info.namespace).some(
          ({ spec }) => (spec?.serviceAccountName ?? 'default') === info.name,
        );
      case 'volumes':
        return this.hasVolume(node, info.name);
      case 'attachments':
      case 'slices':
      case 'certificateRequests':
        return this.isNamed(node, kind, info);
      case 'secrets':
        return this.isReferred(node, kind, info) || (await this.hasVolumeSecret(node, info));
      default:
        return this.isReferred(node, kind, info);
    }
  }

  private podsOf(node: string, namespace: string): Pod[] {
    return [...this.pods.indexed(node)].filter(
      ({ metadata, spec }) => metadata.namespace === namespace && spec?.nodeName === node,
    );
  }

  /** Mirror pods are written by nodes, which must not give themselves rights by them. */
  private ownersOn(node: string, namespace: string): Pod[] {
    return this.podsOf(node, namespace).filter(
      ({ metadata }) => metadata.annotations?.[MIRROR] === undefined,
    );
  }

  private isReferred(node: string, kind: keyof PodReferences, info: RequestInfo): boolean {
    return this.ownersOn(node, info.namespace).some((pod) => this.of(pod)[kind].has(info.name));
  }

  private async isNamed(
    node: string,
    kind: keyof typeof NAMING,
    { name, namespace }: RequestInfo,
  ): Promise<boolean> {
    const object = await this.read(NAMING[kind], name, namespace === '' ? undefined : namespace);
    return (object as { spec?: { nodeName?: string } } | undefined)?.spec?.nodeName === node;
  }

  private async hasVolume(node: string, name: string): Promise<boolean> {
    const volume = (await this.read(VOLUME, name)) as PersistentVolume | undefined;
    const { namespace = '', name: claim = '' } = volume?.spec?.claimRef ?? {};
    return this.ownersOn(node, namespace).some((pod) => this.of(pod).claims.has(claim));
  }

  /** Secrets that volumes name, which are bound to claims of the node's pods. */
  private async hasVolumeSecret(node: string, info: RequestInfo): Promise<boolean> {
    const claims = new Set(
      this.ownersOn(node, info.namespace).flatMap((pod) => [...this.of(pod).claims]),
    );
    for (const claim of claims) {
      const found = (await this.read(CLAIM, claim, info.namespace)) as
        PersistentVolumeClaim | undefined;
      const volumeName = found?.spec?.volumeName;
      const volume = volumeName
        ? ((await this.read(VOLUME, volumeName)) as PersistentVolume | undefined)
        : undefined;
      if (volume && volumeSecrets(volume).has(`${info.namespace}/${info.name}`)) return true;
    }
    return false;
  }

  private of(pod: Pod): PodReferences {
    const known = this.references.get(pod) ?? podReferences(pod);
    this.references.set(pod, known);
    return known;
  }
}
