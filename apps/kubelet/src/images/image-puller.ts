import type { Container, Pod, Secret } from '@orrery/api';
import type { Backoff } from '@orrery/controller';
import { restartBackoff } from '../containers/restart-backoff.js';
import { uidOf } from '../containers/visit.js';
import type { Runtime, SandboxConfig } from '../runtime/runtime.js';
import { ImageAccess } from './image-access.js';
import { normalizeImage, problemOfImageName } from './image-name.js';
import { credentialsFor } from './pull-secrets.js';
import type { PullCredentials } from './pull-secrets.js';

export type PullReason =
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrImageNeverPull'
  | 'ImageInspectError'
  | 'InvalidImageName';

/** Why a container has no image yet; `reason` is shown as its waiting reason. */
export class ImagePullError extends Error {
  constructor(
    readonly reason: PullReason,
    message: string,
    readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ImagePullError';
  }
}

/** What a container, or a volume that is an image, asks for. */
export type WantedImage = Pick<Container, 'image' | 'imagePullPolicy'>;

interface WantedPull {
  readonly image: string;
  /** As the container names it. */
  readonly written: string;
  /** Read once for an image, however often it is asked for. */
  readonly secrets: () => Promise<Secret[]>;
}

/** Told of what becomes of a request for an image. */
export interface PullObserver {
  /** What was found out of it; undefined = it did not come to that. */
  ensured(policy: string, isPresent: boolean | undefined, isPullRequired?: boolean): void;
  pullStarted(podUid: string): void;
  /** It was pulled, of that size, in that time. */
  pullFinished(podUid: string, bytes: number, ms: number): void;
}

export type PullEvent = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** A secret of the pod's namespace; undefined when it is not there. */
export type SecretReader = (namespace: string, name: string) => Promise<Secret | undefined>;

/** Applies the pull policy, one pull of an image at a time, with a back-off per pod and image (k8s pkg/kubelet/images). */
export class ImagePuller {
  private readonly backoff: Backoff;
  private readonly lastError = new Map<string, string>();
  private readonly pulling = new Map<string, Promise<string>>();

  constructor(
    private readonly runtime: Runtime,
    private readonly now: () => number,
    private readonly secretOf: SecretReader = () => Promise.resolve(undefined),
    private readonly access = new ImageAccess({ policy: 'NeverVerify', allowlist: [] }),
    private readonly observer?: PullObserver,
  ) {
    this.backoff = restartBackoff(now);
  }

  /** Reference of the image to run; rejects with ImagePullError. Events have the image as it is written. */
  async ensure(
    pod: Pod,
    container: WantedImage,
    sandbox: SandboxConfig,
    event: PullEvent,
  ): Promise<string> {
    const written = container.image ?? '';
    const image = normalizeImage(written);
    const problem = problemOfImageName(written);
    if (problem !== undefined) {
      const text = `Failed to apply default image tag "${written}": couldn't parse image name "${written}": ${problem}`;
      event('Warning', 'InspectFailed', text);
      throw new ImagePullError('InvalidImageName', text, 60_000);
    }
    const policy =
      container.imagePullPolicy ?? (image.endsWith(':latest') ? 'Always' : 'IfNotPresent');
    const { observer } = this;
    const present = await this.runtime.imageRef(image).catch((error: unknown) => {
      observer?.ensured(policy, undefined);
      throw error;
    });
    let read: Promise<Secret[]> | undefined;
    const secrets = (): Promise<Secret[]> => (read ??= this.secretsOf(pod, event));
    const mayUse = async (ref: string): Promise<boolean> =>
      !(await this.access.mustPull(image, ref, async () => credentialsFor(image, await secrets())));
    if (present !== undefined && policy !== 'Always' && (await mayUse(present))) {
      observer?.ensured(policy, true, false);
      event(
        'Normal',
        'Pulled',
        `Container image "${written}" already present on machine and can be accessed by the pod`,
      );
      return present;
    }
    observer?.ensured(policy, present !== undefined, policy !== 'Never');
    if (policy === 'Never') {
      const text = `Container image "${written}" is not present with pull policy of Never`;
      event('Warning', 'ErrImageNeverPull', text);
      throw new ImagePullError('ErrImageNeverPull', text, 10_000);
    }
    return this.pull(pod, { image, written, secrets }, sandbox, event);
  }

  /** Forgets a pod that is gone. */
  forget(pod: Pod): void {
    this.backoff.forget(`${uidOf(pod)}_`);
    for (const key of this.lastError.keys())
      if (key.startsWith(`${uidOf(pod)}_`)) this.lastError.delete(key);
  }

  private async pull(
    pod: Pod,
    { image, written, secrets }: WantedPull,
    sandbox: SandboxConfig,
    event: PullEvent,
  ): Promise<string> {
    const key = `${uidOf(pod)}_${image}`;
    const waitMs = this.backoff.remainingSinceUpdate(key);
    if (waitMs > 0) {
      event('Normal', 'BackOff', `Back-off pulling image "${written}"`);
      const cause = this.lastError.get(key);
      throw new ImagePullError(
        'ImagePullBackOff',
        `Back-off pulling image "${written}"${cause ? `: ErrImagePull: ${cause}` : ''}`,
        waitMs,
      );
    }
    event('Normal', 'Pulling', `Pulling image "${written}"`);
    const started = this.now();
    this.observer?.pullStarted(uidOf(pod));
    try {
      const ref = await this.pullOnce(image, sandbox, await secrets());
      const tookMs = this.now() - started;
      const took = toGoMs(tookMs);
      const bytes = await this.runtime.imageSize(image);
      this.observer?.pullFinished(uidOf(pod), bytes, tookMs);
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${written}" in ${took} (${took} including waiting). Image size: ${bytes} bytes.`,
      );
      this.backoff.forget(key);
      this.lastError.delete(key);
      return ref;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      event('Warning', 'Failed', `Failed to pull image "${written}": ${text}`);
      this.backoff.next(key, this.now());
      this.lastError.set(key, text);
      throw new ImagePullError('ErrImagePull', text, this.backoff.get(key), { cause: error });
    }
  }

  /** Those of the pod's pull secrets that are there (k8s pkg/kubelet/kubelet_pods.go:getPullSecretsForPod). */
  private async secretsOf(pod: Pod, event: PullEvent): Promise<Secret[]> {
    const names = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => name || []);
    const found = await Promise.all(
      names.map((name) => this.secretOf(pod.metadata.namespace ?? '', name).catch(() => undefined)),
    );
    const missing = names.filter((_, index) => found[index] === undefined);
    if (missing.length > 0)
      event(
        'Warning',
        'FailedToRetrieveImagePullSecret',
        `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
      );
    return found.flatMap((secret) => secret ?? []);
  }

  /** One pull at a time of an image by the same secrets. */
  private pullOnce(
    image: string,
    sandbox: SandboxConfig,
    secrets: readonly Secret[],
  ): Promise<string> {
    const credentials = credentialsFor(image, secrets);
    const key = `${image} ${JSON.stringify(credentials)}`;
    const running = this.pulling.get(key);
    if (running) return running;
    const pull = this.pullNow(image, sandbox, credentials).finally(() => this.pulling.delete(key));
    this.pulling.set(key, pull);
    return pull;
  }

  /** Notes with which credentials the image could be had. */
  private async pullNow(
    image: string,
    sandbox: SandboxConfig,
    credentials: readonly PullCredentials[],
  ): Promise<string> {
    this.access.intend(image);
    try {
      const { ref, used } = await this.tryEach(image, sandbox, credentials);
      this.access.pulled(image, ref, used);
      return ref;
    } catch (error) {
      this.access.abandon(image);
      throw error;
    }
  }

  /** With one after the other; rejects with why the last was refused. */
  private async tryEach(
    image: string,
    sandbox: SandboxConfig,
    [first, ...rest]: readonly PullCredentials[],
  ): Promise<{ ref: string; used: PullCredentials | undefined }> {
    try {
      const auth = first && { username: first.username, password: first.password };
      return { ref: await this.runtime.pullImage(image, sandbox, auth), used: first };
    } catch (error) {
      if (rest.length === 0) throw error;
      return this.tryEach(image, sandbox, rest);
    }
  }
}

/** Go's text of a duration in whole milliseconds: `54ms`, `1.2s`, `1m2.5s`. */
export function toGoMs(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
