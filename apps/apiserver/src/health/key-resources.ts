import type { KindDescriptor } from '@orrery/api';

export interface NamedResource {
  readonly group: string;
  readonly resource: string;
}

const NOTHING: NamedResource = { group: '', resource: '' };

/** Which resource a key of etcd is of. */
export class KeyResources {
  private readonly known = new Map<string, NamedResource>();
  private kinds: () => readonly KindDescriptor[] = () => [];

  /** `keyPrefix` is what keys begin with; ends in '/'. */
  constructor(readonly keyPrefix: string) {}

  /** Tells which resources there are. */
  know(kinds: () => readonly KindDescriptor[]): void {
    this.kinds = kinds;
  }

  all(): readonly NamedResource[] {
    return this.kinds().map(({ group, plural }) => ({ group, resource: plural }));
  }

  /** Keys are `<prefix><folder>/…` or `<prefix><group>/<folder>/…`. */
  of(key: string): NamedResource {
    if (!key.startsWith(this.keyPrefix)) return NOTHING;
    const [first = '', second = ''] = key.slice(this.keyPrefix.length).split('/', 2);
    const path = `${first}/${second}`;
    const known = this.known.get(path) ?? this.known.get(first);
    if (known) return known;
    const kind = this.kinds().find(
      ({ storagePrefix }) => storagePrefix === first || storagePrefix === path,
    );
    if (!kind) return NOTHING;
    const named = { group: kind.group, resource: kind.plural };
    this.known.set(kind.storagePrefix, named);
    return named;
  }
}
