const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(`^(?:[A-Za-z0-9.-]+(?::\\d+)?/)?${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const INVALID = 'invalid reference format';

interface WrittenName {
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

function splitName(image: string): WrittenName {
  const at = image.indexOf('@');
  const digest = at === -1 ? undefined : image.slice(at + 1);
  const tagged = at === -1 ? image : image.slice(0, at);
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  if (colon === -1) return { name: tagged, digest };
  return { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}

/** Adds `:latest` as upstream does before it asks the runtime. */
export function normalizeImage(image: string): string {
  const { tag, digest } = splitName(image);
  return tag === undefined && digest === undefined ? `${image}:latest` : image;
}

/** Of the registry's host, when the first part of a name is one (distribution reference/normalize.go:splitDockerDomain). */
function repositoryOf(name: string): string {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  if (/[.:A-Z]/.test(first) || first === 'localhost') return name.slice(slash + 1);
  return slash === -1 ? `library/${name}` : name;
}

/** Why a text names no image, in the words of distribution reference/normalize.go:ParseNormalizedNamed; undefined when it does. */
export function problemOfImageName(image: string): string | undefined {
  const { name, tag, digest } = splitName(image);
  if (/^[0-9a-f]{64}$/.test(image))
    return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`;
  const repository = repositoryOf(name);
  if (repository !== repository.toLowerCase())
    return `${INVALID}: repository name (${repository}) must be lowercase`;
  if (!NAME.test(name)) return INVALID;
  if (tag !== undefined && !TAG.test(tag)) return INVALID;
  return digest === undefined || DIGEST.test(digest) ? undefined : INVALID;
}
