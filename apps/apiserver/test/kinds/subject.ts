import type { KindDescriptor } from '@orrery/api';
import { applyMergePatch } from '@orrery/apimachinery';
import { minimalObjects } from '../../../../libs/api/src/minimal-objects.fixture.js';
import { protobuf, schemas } from '../../src/negotiation/schemas.js';
import type { Answer, Json, Replica } from '../replica.js';
import { metadataOf } from '../replica.js';
import type { KindRow } from './kind-row.js';
import type { Facts } from './upstream-facts.js';

export const idOf = ({ group, version, plural }: KindDescriptor): string =>
  `${group || 'core'}/${version}/${plural}`;

const merged = (object: unknown, patch: unknown): Json => applyMergePatch(object, patch) as Json;

/** One kind under test: how its objects are made, named and asked for. */
export class Subject {
  readonly apiVersion: string;
  readonly collection: string;
  readonly namespace: string | undefined;

  constructor(
    private readonly server: () => Replica,
    readonly kind: KindDescriptor,
    readonly row: KindRow,
    readonly facts: Facts,
  ) {
    const { group, version, plural, scope } = kind;
    this.apiVersion = group ? `${group}/${version}` : version;
    const home = group.split('.')[0] || 'core';
    this.namespace = scope === 'Namespaced' ? `${home}-${version}-${plural}` : undefined;
    const base = group ? `/apis/${group}/${version}` : `/api/${version}`;
    const inside = this.namespace ? `/namespaces/${this.namespace}` : '';
    this.collection = `${base}${inside}/${plural}`;
  }

  get api(): Replica {
    return this.server();
  }

  nameOf(name: string): string {
    return this.row.nameOf?.(name) ?? name;
  }

  path(name: string, rest = ''): string {
    return `${this.collection}/${this.nameOf(name)}${rest}`;
  }

  /** The least legal object of that name. */
  minimal(name: string): Json {
    const { kind, row, apiVersion } = this;
    const base = structuredClone(minimalObjects[idOf(kind)] ?? {}) as Json;
    const metadata = { ...(base['metadata'] as Json | undefined), name: this.nameOf(name) };
    const object = { apiVersion, kind: kind.kind, ...base, metadata };
    return merged(object, JSON.parse(JSON.stringify(row.named?.(name) ?? {})));
  }

  maximal(name: string): Json {
    const metadata = {
      labels: { suite: 'contract', app: 'web' },
      annotations: { 'example.com/note': 'a "quoted" text\nof two lines' },
    };
    const plain: unknown = JSON.parse(JSON.stringify({ metadata, ...this.row.maximal }));
    return merged(this.minimal(name), plain);
  }

  async create(object: Json, query = ''): Promise<Answer> {
    return this.api.post(`${this.collection}${query}`, object);
  }

  get(name: string): Promise<Answer> {
    return this.api.ask(this.path(name));
  }

  put(name: string, object: Json, rest = ''): Promise<Answer> {
    return this.api.ask(this.path(name, rest), { method: 'PUT', body: object });
  }

  patch(name: string, patch: Json, rest = '', type = 'merge-patch+json'): Promise<Answer> {
    return this.api.patch(this.path(name, rest), type, patch);
  }

  remove(name: string, body?: Json, query = ''): Promise<Answer> {
    return this.api.ask(this.path(name, query), { method: 'DELETE', body });
  }

  apply(name: string, object: Json, query: string): Promise<Answer> {
    return this.patch(name, object, `?${query}`, 'apply-patch+yaml');
  }

  async asProtobuf(path: string): Promise<Json> {
    const accept = 'application/vnd.kubernetes.protobuf';
    const { bytes } = await this.api.ask(path, { headers: { accept } });
    // On the wire of protobuf an absent field is absent; Go's client fills it in, and would write it as JSON.
    const object = protobuf().decode(bytes).object as unknown as Json;
    return 'items' in object ? object : schemas().normalize(object, this.kind.schema);
  }

  /** Of a Status about an object of this kind. */
  get resource(): string {
    const { group, plural } = this.kind;
    return group ? `${plural}.${group}` : plural;
  }
}

export const versionOf = (answer: Pick<Answer, 'json'>): string =>
  String(metadataOf(answer)['resourceVersion']);

export const causesOf = ({ json }: Answer): Json[] =>
  ((json['details'] as Json | undefined)?.['causes'] ?? []) as Json[];

/** What a failure says; undefined of a success. */
export const problemOf = ({ json }: Answer): unknown =>
  json['kind'] === 'Status' ? json['message'] : undefined;
