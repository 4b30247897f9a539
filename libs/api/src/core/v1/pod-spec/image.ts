/** k8s vendor/github.com/docker/distribution/reference/regexp.go, as a name without domain and with one. */
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const HOST = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const TAG = '(?::([\\w][\\w.-]{0,127}))?';
const DIGEST = '(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?';
const REMAINDER = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*${TAG}${DIGEST}$`);
const DOMAIN = new RegExp(`^${HOST}(?:\\.${HOST})*(?::[0-9]+)?$`);
const MAX_NAME = 255;

/** What stands before the first slash is a registry when it looks like a host. */
function remainderOf(image: string): string | undefined {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  if (slash < 0 || !isDomain) return image;
  return DOMAIN.test(first) ? image.slice(slash + 1) : undefined;
}

/** The pull policy upstream gives an image that names none: Always for `latest`, by name or by omission. */
export function defaultPullPolicy(image: string | undefined): 'Always' | 'IfNotPresent' {
  const text = String(image ?? '');
  const [whole, tag, digest] = REMAINDER.exec(remainderOf(text) ?? '') ?? [];
  const isImage = whole !== undefined && !/^[0-9a-f]{64}$/.test(text) && text.length <= MAX_NAME;
  if (!isImage || digest !== undefined) return 'IfNotPresent';
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}
