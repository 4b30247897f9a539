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

/** Kinds of the definitions that some catalog serves, by edition: logical clusters that serve the same definition share them. */
const made = new Map<string, WeakRef<readonly CustomKind[]>>();
const unserved = new FinalizationRegistry<string>((edition) => {
  if (made.get(edition)?.deref() === undefined) made.delete(edition);
});

function kindsOf(definition: Definition): readonly CustomKind[] {
  const edition = editionOf(definition);
  const known = made.get(edition)?.deref();
  if (known) return known;
  const kinds = definition.spec.versions
    .filter((version) => version.served)
    .map((version) => toCustomKind(definition, version));
  made.set(edition, new WeakRef(kinds));
  unserved.register(kinds, edition);
  return kinds;
}

/** Everything whose names do not clash is served at once, before its conditions are written. */
export function serveDefinitions(
  catalog: Pick<ResourceCatalog, 'setCustom'>,
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
    served.map((one) => ({
      group: one.spec.group,
      edition: editionOf(one),
      kinds: kindsOf(one),
    })),
    groups.sort((a, b) => (a.group < b.group ? -1 : 1)),
  );
}
