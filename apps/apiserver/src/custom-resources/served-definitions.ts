import type { CustomResourceDefinition } from '@orrery/api';
import type { ResourceCatalog, ServedGroup } from '../rest/resource-catalog.js';
import type { CustomKind } from './custom-kind.js';
import { compareVersions } from './compare-versions.js';
import { nameConflict } from './definition-conditions.js';
import { toCustomKind } from './to-custom-kind.js';

type Definition = CustomResourceDefinition;

/** Names a definition at one state: uid and resourceVersion are never used again, in whichever logical cluster. */
const editionOf = ({ metadata }: Definition): string =>
  `${metadata.uid ?? ''}@${metadata.resourceVersion ?? ''}`;

/** Kinds of the definitions seen last, by edition: logical clusters that serve the same definition share them. */
const made = new Map<string, readonly CustomKind[]>();
const MOST_MADE = 2000;

function kindsOf(definition: Definition): readonly CustomKind[] {
  const edition = editionOf(definition);
  const kinds =
    made.get(edition) ??
    definition.spec.versions
      .filter((version) => version.served)
      .map((version) => toCustomKind(definition, version));
  made.delete(edition);
  made.set(edition, kinds);
  const [oldest] = made.keys();
  if (made.size > MOST_MADE && oldest !== undefined) made.delete(oldest);
  return kinds;
}

/** Everything whose names do not clash is served at once, before its conditions are written. */
export function serveDefinitions(
  catalog: ResourceCatalog,
  definitions: Iterable<Definition>,
): void {
  const all = [...definitions];
  const served = all.filter((one) => nameConflict(one, all) === undefined);
  const versionsOf = new Map<string, Set<string>>();
  for (const { spec } of served) {
    const versions = spec.versions.filter((version) => version.served);
    if (versions.length === 0) continue;
    const known = versionsOf.get(spec.group) ?? new Set<string>();
    for (const { name } of versions) known.add(name);
    versionsOf.set(spec.group, known);
  }
  const groups: ServedGroup[] = [...versionsOf].map(([group, versions]) => ({
    group,
    versions: [...versions].sort(compareVersions),
  }));
  catalog.setCustom(
    served.flatMap(kindsOf),
    groups.sort((a, b) => (a.group < b.group ? -1 : 1)),
    served.map((one) => ({ group: one.spec.group, edition: editionOf(one) })),
  );
}
