/** An image name in its parts, as containerd's and docker's reference grammar has them. */
export interface ImageReference {
  /** `docker.io` when none is written. */
  readonly registry: string;
  /** `library/nginx`. */
  readonly repository: string;
  /** Empty when only a digest is given; `latest` when neither is. */
  readonly tag: string;
  readonly digest: string;
  /** With registry and tag: `docker.io/library/nginx:latest`. */
  readonly normalized: string;
  /** Last part of the repository: `nginx`. */
  readonly name: string;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?)';
const REFERENCE = new RegExp(
  `^(?:(${HOST})/)??(${COMPONENT}(?:/${COMPONENT})*)(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);

const isHost = (text: string): boolean =>
  text.includes('.') || text.includes(':') || text === 'localhost' || /[A-Z]/.test(text);

/** Undefined when the text is no image reference. */
export function parseReference(text: string): ImageReference | undefined {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const registry = isHost(first) ? first : 'docker.io';
  const match = REFERENCE.exec(isHost(first) ? text.slice(slash + 1) : text);
  if (!match || match[1] || !new RegExp(`^${HOST}$`).test(registry)) return undefined;
  const path = match[2] ?? '';
  const digest = match[4] ?? '';
  const tag = match[3] ?? (digest === '' ? 'latest' : '');
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  const suffix = `${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
  return {
    registry,
    repository,
    tag,
    digest,
    normalized: `${registry}/${repository}${suffix}`,
    name: repository.slice(repository.lastIndexOf('/') + 1),
  };
}
