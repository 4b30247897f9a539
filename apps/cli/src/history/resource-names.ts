import { ConfigError } from '@orrery/component';
import type { HistoryServer } from './history-server.js';

/** A resource as discovery tells of it. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly shortNames?: readonly string[];
  }[];
}

interface GroupList {
  readonly groups: readonly {
    readonly name: string;
    readonly preferredVersion: { readonly version: string };
  }[];
}

interface Group {
  readonly name: string;
  readonly version: string;
}

const pathOf = ({ name, version }: Group): string =>
  name === '' ? `/api/${version}` : `/apis/${name}/${version}`;

async function findIn(
  server: HistoryServer,
  group: Group,
  word: string,
): Promise<Resource | undefined> {
  const { resources } = await server.get<ResourceList>(pathOf(group));
  const found = resources.find(
    ({ name, singularName = '', kind, shortNames = [] }) =>
      !name.includes('/') && [name, singularName, kind.toLowerCase(), ...shortNames].includes(word),
  );
  return (
    found && {
      group: group.name,
      version: group.version,
      plural: found.name,
      kind: found.kind,
      namespaced: found.namespaced,
    }
  );
}

/** The resource that a user means: `deploy`, `Deployment`, `deployments.apps`. Throws ConfigError. */
export async function findResource(server: HistoryServer, text: string): Promise<Resource> {
  const [word = '', ...suffix] = text.toLowerCase().split('.');
  const named = suffix.join('.');
  const core = { name: '', version: 'v1' };
  if (named === '') {
    const found = await findIn(server, core, word);
    if (found) return found;
  }
  const { groups } = await server.get<GroupList>('/apis');
  for (const { name, preferredVersion } of groups) {
    if (named !== '' && name !== named && !name.startsWith(`${named}.`)) continue;
    const found = await findIn(server, { name, version: preferredVersion.version }, word);
    if (found) return found;
  }
  throw new ConfigError(`the server doesn't have a resource type ${JSON.stringify(text)}`);
}

/** Reads `TYPE/NAME` or `TYPE NAME`. Throws ConfigError. */
export function parseSubject(
  words: readonly string[],
  command: string,
): [type: string, name: string] {
  const [type = '', name = '', ...more] = words.flatMap((word) => word.split('/'));
  if (type === '' || name === '' || more.length > 0)
    throw new ConfigError(
      `orrery ${command} needs one object, as in: orrery ${command} deployment/web`,
    );
  return [type, name];
}

/** The path of an object in the API. */
export function objectPath(
  { group, version, plural, namespaced }: Resource,
  namespace: string,
  name: string,
): string {
  const head = pathOf({ name: group, version });
  const scope = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${head}${scope}/${plural}/${encodeURIComponent(name)}`;
}
