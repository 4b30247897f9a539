import { toApiVersion } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { ObjectName, RelatedObject } from '@orrery/history';

/** Which kind each key of etcd belongs to, and the key of each object, as of now. */
export class KeyCatalog {
  private readonly byPrefix = new Map<string, KindDescriptor>();
  private readonly byKind = new Map<string, KindDescriptor>();

  constructor(
    readonly keyPrefix: string,
    kinds: readonly KindDescriptor[],
  ) {
    for (const kind of kinds) {
      const id = `${kind.group}/${kind.kind}`;
      if (!this.byKind.has(id)) this.byKind.set(id, kind);
      // A kind that is stored in the shape of another does not name what is stored.
      if (!kind.storageConversion && !this.byPrefix.has(kind.storagePrefix))
        this.byPrefix.set(kind.storagePrefix, kind);
    }
  }

  /** The object of a key; a key of no kind that is served is its own name. */
  nameOf(key: string): ObjectName {
    return this.find(key) ?? { group: '', version: '', kind: '', resource: '', name: key };
  }

  /** The key of an object that another names; undefined when its kind is not served. */
  keyOf({ group, kind, namespace, name }: RelatedObject): string | undefined {
    const found = this.byKind.get(`${group}/${kind}`);
    return found && keyIn(this.prefixOf(found, namespace), name);
  }

  /** What the keys of a kind's objects start with. */
  prefixOf({ storagePrefix, scope }: KindDescriptor, namespace?: string): string {
    const folder = scope === 'Namespaced' && namespace ? `${namespace}/` : '';
    return `${this.keyPrefix}${storagePrefix}/${folder}`;
  }

  kind(group: string, kind: string): KindDescriptor | undefined {
    return this.byKind.get(`${group}/${kind}`);
  }

  private find(key: string): ObjectName | undefined {
    if (!key.startsWith(this.keyPrefix)) return undefined;
    const [first = '', second = '', ...rest] = key.slice(this.keyPrefix.length).split('/');
    const long = this.byPrefix.get(`${first}/${second}`);
    if (long) return nameIn(long, rest);
    const short = this.byPrefix.get(first);
    return short && nameIn(short, [second, ...rest]);
  }
}

const keyIn = (prefix: string, name: string): string => `${prefix}${name}`;

function nameIn(kind: KindDescriptor, rest: readonly string[]): ObjectName | undefined {
  const isNamespaced = kind.scope === 'Namespaced';
  if (rest.length !== (isNamespaced ? 2 : 1)) return undefined;
  const name = rest.at(-1) ?? '';
  const [namespace = ''] = rest;
  return {
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    resource: kind.plural,
    ...(isNamespaced ? { namespace } : {}),
    name,
  };
}

/** `deployments.apps`, `pods` */
export const resourceOf = ({ group, resource }: ObjectName): string =>
  group === '' ? resource : `${resource}.${group}`;

/** `apps/v1 Deployment`, for messages. */
export const typeOf = ({ group, version, kind }: ObjectName): string =>
  `${toApiVersion(group, version)} ${kind}`;
