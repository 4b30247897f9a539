import type { Container, Pod, ServiceAccount, Volume } from '@orrery/api';
import { randomSuffix } from '@orrery/component';
import type { Random } from '@orrery/component';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { podReferences } from '../../authz/node/pod-references.js';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';
import { podOf } from '../pod-request.js';
import { forbiddenSecret } from './mountable-secrets.js';

const PREFIX = 'kube-api-access-';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const MIRROR = 'kubernetes.io/config.mirror';
const MODE = 0o644;

/** The projected volume with token, CA and namespace (k8s plugin/pkg/admission/serviceaccount/admission.go:TokenVolumeSource). */
function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: MODE,
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
        {
          configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
        },
        {
          downwardAPI: {
            items: [
              {
                path: 'namespace',
                fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
              },
            ],
          },
        },
      ],
    },
  };
}

const mountsToken = (container: Container): boolean =>
  (container.volumeMounts ?? []).some((mount) => mount.mountPath === MOUNT_PATH);

function referencesAccountToken(pod: Pod): boolean {
  return (pod.spec?.volumes ?? []).some((volume) =>
    (volume.projected?.sources ?? []).some((source) => source.serviceAccountToken),
  );
}

/** Gives pods a service account and mounts its token. */
export class ServiceAccountPlugin implements AdmissionPlugin {
  readonly name = 'ServiceAccount';

  constructor(
    private readonly accounts: Pick<LiveReader<ServiceAccount>, 'get' | 'find'>,
    private readonly random: Random,
  ) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const pod = attributes.operation === 'CREATE' ? podOf(attributes) : undefined;
    if (!pod?.spec || pod.metadata.annotations?.[MIRROR] !== undefined) return;
    const name = pod.spec.serviceAccountName || 'default';
    pod.spec.serviceAccountName = name;
    pod.spec.serviceAccount = name;
    const account = await this.#account(attributes, name);
    const automount =
      pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
    if (automount) this.#mountToken(pod);
    if ((pod.spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets?.length)
      pod.spec.imagePullSecrets = structuredClone(account.imagePullSecrets);
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    if (attributes.operation === 'UPDATE') {
      await this.#ephemeral(attributes);
      return;
    }
    const pod = podOf(attributes);
    if (!pod?.spec) return;
    if (pod.metadata.annotations?.[MIRROR] === undefined) {
      const name = pod.spec.serviceAccountName;
      if (!name) {
        const { namespace = '' } = attributes;
        const id = `${namespace}/${pod.metadata.name ?? ''}`;
        throw forbiddenBy(attributes, `no service account specified for pod ${id}`);
      }
      const account = await this.#account(attributes, name);
      this.#refuseSecret(attributes, forbiddenSecret(pod.spec, account));
      return;
    }
    this.#checkMirror(attributes, pod);
  }

  /** What a kubelet tells of a static pod has no rights of its own. */
  #checkMirror(attributes: AdmissionAttributes, pod: Pod): void {
    const refuse = (what: string): never => {
      throw forbiddenBy(attributes, `a mirror pod may not ${what}`);
    };
    if (pod.spec?.serviceAccountName) refuse('reference service accounts');
    if (podReferences(pod).secrets.size > 0) refuse('reference secrets');
    if (referencesAccountToken(pod)) refuse('use ServiceAccountToken volume projections');
  }

  /** Containers that come later may use no more than those before. */
  async #ephemeral(attributes: AdmissionAttributes): Promise<void> {
    const { kind, subresource, object } = attributes;
    const isPod = kind.group === '' && kind.plural === 'pods';
    const spec = isPod && subresource === 'ephemeralcontainers' ? (object as Pod).spec : undefined;
    if (!spec) return;
    const account = await this.#account(attributes, spec.serviceAccountName || 'default');
    this.#refuseSecret(attributes, forbiddenSecret(spec, account, 'ephemeralContainers'));
  }

  #refuseSecret(attributes: AdmissionAttributes, why: string | undefined): void {
    if (why) throw forbiddenBy(attributes, why);
  }

  async #account(attributes: AdmissionAttributes, name: string): Promise<ServiceAccount> {
    const namespace = attributes.namespace ?? '';
    const account = await this.accounts.find(name, namespace);
    if (account) return account;
    throw forbiddenBy(
      attributes,
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
    );
  }

  #mountToken(pod: Pod): void {
    const { spec } = pod;
    if (!spec) return;
    const existing = (spec.volumes ?? []).find((volume) => volume.name.startsWith(PREFIX));
    const volumeName = existing?.name ?? `${PREFIX}${randomSuffix(this.random)}`;
    let used = false;
    for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
      if (mountsToken(container)) continue;
      used = true;
      container.volumeMounts = [
        ...(container.volumeMounts ?? []),
        { name: volumeName, readOnly: true, mountPath: MOUNT_PATH },
      ];
    }
    if (used && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(volumeName)];
  }
}
