import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ImageMetrics } from '../metrics/image-metrics.js';
import type { PullCredentials } from './pull-secrets.js';

/** Which images that are there already need credentials (KubeletConfiguration, imagePullCredentialsVerificationPolicy). */
export const VERIFICATION_POLICIES = [
  'NeverVerify',
  'NeverVerifyPreloadedImages',
  'NeverVerifyAllowlistedImages',
  'AlwaysVerify',
] as const;

export interface Verification {
  readonly policy: (typeof VERIFICATION_POLICIES)[number];
  /** Names without tag and digest; a last part `*` stands for every image below. */
  readonly allowlist: readonly string[];
}

/** k8s pkg/kubelet/images/pullmanager/metrics.go:mustAttemptImagePullResult. */
type CheckResult = 'credentialPolicyAllowed' | 'credentialRecordFound' | 'mustAuthenticate';

interface KnownSecret {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly credentialHash: string;
}

interface Access {
  /** The image was pulled without credentials. */
  readonly nodePodsAccessible?: boolean;
  readonly kubernetesSecrets?: readonly KnownSecret[];
}

/** Who has shown that he may pull an image, by its name without tag (upstream's ImagePulledRecord). */
interface PulledRecord {
  readonly kind: 'ImagePulledRecord';
  readonly apiVersion: 'kubelet.config.k8s.io/v1beta1';
  readonly imageRef: string;
  readonly credentialMapping: Readonly<Record<string, Access>>;
}

const fileName = (text: string): string =>
  `sha256-${createHash('sha256').update(text).digest('hex')}`;

/** `registry/repository` of `registry/repository:tag@digest`. */
function withoutTag(image: string): string {
  const [named = ''] = image.split('@');
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash);
  return colon < 0 ? named : named.slice(0, colon);
}

const hashOf = ({ username, password }: PullCredentials): string =>
  createHash('sha256')
    .update(JSON.stringify([username, password]))
    .digest('hex');

const knownOf = (credentials: PullCredentials): KnownSecret => ({
  ...credentials.secret,
  credentialHash: hashOf(credentials),
});

const isSameSecret = (a: KnownSecret, b: KnownSecret): boolean =>
  a.uid === b.uid && a.namespace === b.namespace && a.name === b.name;

function isListed(image: string, allowlist: readonly string[]): boolean {
  const name = withoutTag(image);
  return allowlist.some((entry) =>
    entry.endsWith('/*') ? name.startsWith(entry.slice(0, -1)) : name === entry,
  );
}

/**
 * Lets a pod use an image of the node only when it could pull it: remembers with which credentials each was pulled, over
 * a restart (k8s pkg/kubelet/images/pullmanager, KEP-2535).
 */
export class ImageAccess {
  private readonly records = new Map<string, PulledRecord>();
  private readonly intents = new Set<string>();

  /** Without a folder nothing outlives the process. */
  constructor(
    private readonly verification: Verification,
    private readonly folder?: string,
    private readonly metrics?: Pick<ImageMetrics, 'pullChecks'>,
  ) {}

  /** How many records are kept on the disk; 0 of both where nothing is. */
  stored(): { readonly intents: number; readonly pulled: number } {
    const count = (kind: 'pulling' | 'pulled'): number => {
      const dir = this.folder && join(this.folder, kind);
      return dir && existsSync(dir) ? readdirSync(dir).length : 0;
    };
    return { intents: count('pulling'), pulled: count('pulled') };
  }

  /** Whether the pod must show that it may have the image, which is there; `credentials` are asked for when it matters. */
  async mustPull(
    image: string,
    imageRef: string,
    credentials: () => Promise<readonly PullCredentials[]>,
  ): Promise<boolean> {
    try {
      const [isRequired, result] = await this.check(image, imageRef, credentials);
      this.metrics?.pullChecks.inc({ result });
      return isRequired;
    } catch (error) {
      this.metrics?.pullChecks.inc({ result: 'error' });
      throw error;
    }
  }

  /** With how upstream's metric names the outcome. */
  private async check(
    image: string,
    imageRef: string,
    credentials: () => Promise<readonly PullCredentials[]>,
  ): Promise<readonly [isRequired: boolean, result: CheckResult]> {
    const record = this.recordOf(imageRef);
    const pulledHere = record !== undefined || this.isIntended(image);
    if (!this.verifies(image, pulledHere)) return [false, 'credentialPolicyAllowed'];
    const access = record?.credentialMapping[withoutTag(image)];
    if (!access) return [true, 'mustAuthenticate'];
    if (access.nodePodsAccessible) return [false, 'credentialRecordFound'];
    const secrets = access.kubernetesSecrets ?? [];
    for (const shown of (await credentials()).map(knownOf)) {
      const fits = secrets.find(
        (one) => one.credentialHash === shown.credentialHash || isSameSecret(one, shown),
      );
      if (!fits) continue;
      this.note(image, imageRef, shown);
      return [false, 'credentialRecordFound'];
    }
    return [true, 'mustAuthenticate'];
  }

  /** A pull begins: should the kubelet end meanwhile, the image counts as pulled by nobody. */
  intend(image: string): void {
    this.intents.add(image);
    this.write('pulling', image, { image });
  }

  /** It ended well, with these credentials or without any. */
  pulled(image: string, imageRef: string, credentials: PullCredentials | undefined): void {
    this.note(image, imageRef, credentials && knownOf(credentials));
    this.abandon(image);
  }

  /** It failed. */
  abandon(image: string): void {
    this.intents.delete(image);
    const file = this.pathOf('pulling', image);
    if (file) rmSync(file, { force: true });
  }

  private verifies(image: string, pulledHere: boolean): boolean {
    const { policy, allowlist } = this.verification;
    switch (policy) {
      case 'NeverVerify':
        return false;
      case 'NeverVerifyPreloadedImages':
        return pulledHere;
      case 'NeverVerifyAllowlistedImages':
        return pulledHere || !isListed(image, allowlist);
      case 'AlwaysVerify':
        return true;
    }
  }

  private note(image: string, imageRef: string, shown: KnownSecret | undefined): void {
    const record = this.recordOf(imageRef);
    const name = withoutTag(image);
    const before = record?.credentialMapping[name] ?? {};
    const others = (before.kubernetesSecrets ?? []).filter(
      (one) => !shown || !isSameSecret(one, shown),
    );
    const access: Access =
      !shown || before.nodePodsAccessible
        ? { nodePodsAccessible: true }
        : { kubernetesSecrets: [...others, shown] };
    const fresh: PulledRecord = {
      kind: 'ImagePulledRecord',
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      imageRef,
      credentialMapping: { ...record?.credentialMapping, [name]: access },
    };
    if (JSON.stringify(fresh) === JSON.stringify(record)) return;
    this.records.set(imageRef, fresh);
    this.write('pulled', imageRef, fresh);
  }

  private recordOf(imageRef: string): PulledRecord | undefined {
    const known = this.records.get(imageRef);
    const file = this.pathOf('pulled', imageRef);
    if (known || !file || !existsSync(file)) return known;
    try {
      const saved = JSON.parse(readFileSync(file, 'utf8')) as PulledRecord;
      this.records.set(imageRef, saved);
      return saved;
    } catch {
      // A file that was cut says nothing: whoever wants the image pulls it again.
      return undefined;
    }
  }

  private isIntended(image: string): boolean {
    const file = this.pathOf('pulling', image);
    return this.intents.has(image) || (file !== undefined && existsSync(file));
  }

  private pathOf(kind: 'pulling' | 'pulled', name: string): string | undefined {
    return this.folder && join(this.folder, kind, fileName(name));
  }

  private write(kind: 'pulling' | 'pulled', name: string, value: object): void {
    const file = this.pathOf(kind, name);
    if (this.folder === undefined || file === undefined) return;
    mkdirSync(join(this.folder, kind), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, JSON.stringify(value), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}
