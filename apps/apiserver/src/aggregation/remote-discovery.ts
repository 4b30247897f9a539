import { setOwn, stringifySteps } from '@orrery/apimachinery';
import type { Steps } from '@orrery/apimachinery';
import { Turns, inTurns } from '@orrery/component';
import type { ApiServices, RemoteApi } from './api-services.js';
import { jsonHash } from './json-hash.js';
import { isJsonObject } from './remote-documents.js';
import type { RemoteDocuments } from './remote-documents.js';
import { toOpenApiV3 } from './v2-to-v3.js';

type Json = Record<string, unknown>;

/** Resources that are looked at in one go. */
const AT_ONCE = 1000;

export interface RemoteGroup {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly string[];
}

interface LegacyResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isTexts = (value: unknown): boolean =>
  (value ?? undefined) === undefined || (Array.isArray(value) && value.every(isText));

/** Whether a server's word on a resource has the types of an APIResource, of which it has to have a name. */
const isResource = (value: unknown): boolean =>
  isJsonObject(value) &&
  typeof value['name'] === 'string' &&
  [value['kind'], value['singularName'], value['group'], value['version']].every(isText) &&
  [value['verbs'], value['shortNames'], value['categories']].every(isTexts);

/** The resources that a server lists; undefined where it says what is no APIResourceList, as Go would not decode it. */
function resourcesOf({ resources = [] }: Json): readonly LegacyResource[] | undefined {
  if (!Array.isArray(resources) || !resources.every(isResource)) return undefined;
  return resources as readonly LegacyResource[];
}

/** A map of a server's document; undefined where it is none. */
const mapOf = (value: unknown): Json | undefined =>
  value === undefined || isJsonObject(value) ? (value ?? {}) : undefined;

/** An APIResourceList in the aggregated form, made in one pass: a server may list tens of thousands. */
function* toAggregated(resources: readonly LegacyResource[], remote: RemoteApi): Steps<Json[]> {
  const responseKind = (one: LegacyResource): Json => ({
    group: one.group ?? remote.group,
    version: one.version ?? remote.version,
    kind: one.kind,
  });
  const below = new Map<string, Json[]>();
  const parents: LegacyResource[] = [];
  for (const [i, one] of resources.entries()) {
    if (i % AT_ONCE === 0) yield;
    const slash = one.name.indexOf('/');
    if (slash < 0) parents.push(one);
    else {
      const parent = one.name.slice(0, slash);
      const subresource = one.name.slice(slash + 1);
      const found = below.get(parent) ?? [];
      found.push({ subresource, responseKind: responseKind(one), verbs: one.verbs ?? [] });
      below.set(parent, found);
    }
  }
  const made: Json[] = [];
  for (const [i, parent] of parents.entries()) {
    if (i % AT_ONCE === 0) yield;
    const subresources = below.get(parent.name);
    made.push({
      resource: parent.name,
      responseKind: responseKind(parent),
      scope: parent.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: parent.singularName ?? '',
      verbs: parent.verbs ?? [],
      ...(parent.shortNames ? { shortNames: parent.shortNames } : {}),
      ...(parent.categories ? { categories: parent.categories } : {}),
      ...(subresources ? { subresources } : {}),
    });
  }
  return made;
}

/** What extension API servers add to discovery and OpenAPI. */
export class RemoteDiscovery {
  private readonly hashes = new WeakMap<Json, string>();

  constructor(
    private readonly apis: ApiServices,
    private readonly documents: RemoteDocuments,
  ) {}

  /** By priority. */
  groups(): RemoteGroup[] {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.apis.remote())
      groups.set(group, [...(groups.get(group) ?? []), version]);
    return [...groups].map(([group, versions]) => ({ group, versions }));
  }

  /** Items of an APIGroupDiscoveryList; a group whose server does not answer is stale. */
  async aggregated(): Promise<Json[]> {
    return Promise.all(
      this.groups().map(async ({ group, versions }) => ({
        metadata: { name: group },
        versions: await Promise.all(versions.map((version) => this.version(group, version))),
      })),
    );
  }

  private async version(group: string, version: string): Promise<Json> {
    const remote = this.apis.find(group, version);
    const list = remote && (await this.documents.get(remote, `/apis/${group}/${version}`));
    const resources = list && resourcesOf(list);
    if (!remote || !resources) return { version, freshness: 'Stale' };
    const made = await inTurns(toAggregated(resources, remote));
    return { version, resources: made, freshness: 'Current' };
  }

  /** `apis/<group>/<version>` and the hash of its OpenAPI v3 document, of servers that have OpenAPI. */
  async openApiV3(): Promise<{ readonly id: string; readonly hash: string }[]> {
    const found = await Promise.all(
      this.apis.remote().map(async (remote) => {
        const id = `apis/${remote.group}/${remote.version}`;
        const document = await this.readV3(remote);
        if (!document) return [];
        return [{ id, hash: await this.hashOf(document) }];
      }),
    );
    return found.flat();
  }

  /** Made once a document. */
  private async hashOf(document: Json): Promise<string> {
    const known = this.hashes.get(document);
    if (known !== undefined) return known;
    const text = Buffer.from((await inTurns(stringifySteps(document))) ?? '');
    const made = await jsonHash(text);
    this.hashes.set(document, made);
    return made;
  }

  async openApiV3Document(group: string, version: string): Promise<Json | undefined> {
    const remote = this.apis.find(group, version);
    return remote && this.readV3(remote);
  }

  /** Servers older than OpenAPI v3 have their v2 document converted. */
  private async readV3(remote: RemoteApi): Promise<Json | undefined> {
    const id = `${remote.group}/${remote.version}`;
    const own = await this.documents.get(remote, `/openapi/v3/apis/${id}`);
    if (own) return own;
    const old = await this.documents.get(remote, '/openapi/v2');
    return old && inTurns(toOpenApiV3(old, id));
  }

  /**
   * Paths and definitions that servers add to OpenAPI v2: only paths of their own group versions, and no definition
   * that is known already.
   */
  async openApiV2(known: Json): Promise<Json> {
    const taken = (known['definitions'] ?? {}) as Json;
    const paths = { ...(known['paths'] as Json) };
    const definitions = { ...taken };
    const turns = new Turns();
    for (const remote of this.apis.remote()) {
      const document = await this.documents.get(remote, '/openapi/v2');
      const [itsPaths, itsDefinitions] = [
        mapOf(document?.['paths']),
        mapOf(document?.['definitions']),
      ];
      if (!itsPaths || !itsDefinitions) continue;
      const prefix = `/apis/${remote.group}/${remote.version}/`;
      const own = Object.keys(itsPaths).filter((path) => `${path}/`.startsWith(prefix));
      for (const path of own) {
        if (turns.isOver) await turns.next();
        setOwn(paths, path, itsPaths[path]);
      }
      for (const name of own.length > 0 ? Object.keys(itsDefinitions) : []) {
        if (turns.isOver) await turns.next();
        if (!Object.hasOwn(taken, name)) setOwn(definitions, name, itsDefinitions[name]);
      }
    }
    return { ...known, paths, definitions };
  }

  /** Changes when what is added may change; '' without extension servers. */
  get edition(): string {
    return this.apis.remote().length === 0 ? '' : String(this.apis.version);
  }
}
