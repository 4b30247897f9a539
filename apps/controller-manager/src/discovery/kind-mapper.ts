import { toApiVersion } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import { ref } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

interface ApiGroup {
  readonly versions?: readonly { readonly version: string }[];
  readonly preferredVersion?: { readonly version: string };
}

interface Remembered {
  readonly at: number;
  readonly value: Promise<unknown>;
}

/** Answers of discovery are asked for anew after this. */
const FRESH_MS = 30_000;

const pathOf = (group: string, version: string): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

/** Which resource serves a kind, as the API server says; for controllers that are told kinds by users. */
export class KindMapper {
  readonly #answers = new Map<string, Remembered>();

  constructor(
    private readonly client: KubeClient,
    private readonly clock: Clock,
  ) {}

  /** Versions of a group, the preferred one first; none when the group is not served. */
  async versionsOf(group: string): Promise<readonly string[]> {
    if (group === '') return ['v1'];
    const found = (await this.#ask(`/apis/${group}`)) as ApiGroup | undefined;
    const preferred = found?.preferredVersion?.version;
    const all = (found?.versions ?? []).map(({ version }) => version);
    return preferred ? [preferred, ...all.filter((version) => version !== preferred)] : all;
  }

  /** The resource of a kind, preferably of that version; undefined when nobody serves it. */
  async find(group: string, kind: string, version?: string): Promise<ResourceRef | undefined> {
    const versions = await this.versionsOf(group);
    const ordered =
      version && versions.includes(version)
        ? [version, ...versions.filter((other) => other !== version)]
        : versions;
    for (const candidate of ordered) {
      const list = (await this.#ask(pathOf(group, candidate))) as
        { resources?: readonly ApiResource[] } | undefined;
      const found = list?.resources?.find((r) => r.kind === kind && !r.name.includes('/'));
      if (found) return ref(group, candidate, found.name, kind, found.namespaced);
    }
    return undefined;
  }

  /** JSON of a discovery path; undefined for 404. Answers are shared for a while, failures are not. */
  #ask(path: string): Promise<unknown> {
    const known = this.#answers.get(path);
    const now = this.clock.monotonic();
    if (known && now - known.at < FRESH_MS) return known.value;
    const value = this.#get(path);
    this.#answers.set(path, { at: now, value });
    value.then(
      (found) => {
        if (found === undefined) this.#answers.delete(path);
      },
      () => this.#answers.delete(path),
    );
    return value;
  }

  async #get(path: string): Promise<unknown> {
    const { code, body } = await this.client.raw(path);
    if (code === 404) return undefined;
    if (code !== 200) throw new Error(`GET ${path}: the server answered ${code}`);
    return JSON.parse(body) as unknown;
  }
}

/** `path` of a resource's object or, without a name, of its collection. */
export function resourcePath(
  { group, version, plural, namespaced }: ResourceRef,
  { namespace, name }: { readonly namespace?: string | undefined; readonly name?: string },
): string {
  const parts = [toApiVersion(group, version)];
  if (namespaced && namespace) parts.push('namespaces', namespace);
  parts.push(plural);
  if (name) parts.push(name);
  return `/${group === '' ? 'api' : 'apis'}/${parts.join('/')}`;
}
