import { invalid } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import type { EncryptionRule } from '@orrery/storage';

interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

function parseResource(name: string): GroupResource {
  const dot = name.indexOf('.');
  return dot < 0
    ? { group: '', resource: name }
    : { group: name.slice(dot + 1), resource: name.slice(0, dot) };
}

const isSame = (a: GroupResource, b: GroupResource): boolean =>
  a.group === b.group && a.resource === b.resource;
const isAll = ({ group, resource }: GroupResource): boolean => group === '*' && resource === '*';

function overlap(a: GroupResource, b: GroupResource): boolean {
  if (isSame(a, b)) return false;
  if (isAll(a) || isAll(b)) return true;
  return a.group === b.group && (a.resource === '*' || b.resource === '*');
}

const NOT_REST = new Set(['apiserveripinfo', 'serviceipallocations', 'servicenodeportallocations']);

function problemOf(name: string): string | undefined {
  const { group, resource } = parseResource(name);
  if (name.toLowerCase() !== name) return 'resource name should not contain capital letters';
  if (name === '*')
    return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
  if (NOT_REST.has(name)) return 'resources which do not have REST API/s cannot be encrypted';
  if (group === 'events.k8s.io')
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";
  if (group === 'extensions')
    return "'extensions' group has been removed and cannot be used for encryption";
  if (group === '*' && resource !== '*')
    return 'encrypting the same resource across groups is not supported';
  return undefined;
}

/** The resources of one rule (k8s validation_encryption.go:validateResourceOverlap, validateResourceNames). */
export function checkResources(names: readonly string[], at: FieldPath): FieldError[] {
  const all = names.map(parseResource);
  const pairs = all.flatMap((a, i) => all.slice(i + 1).map((b) => [a, b] as const));
  const found: FieldError[] = [];
  if (pairs.some(([a, b]) => isSame(a, b)))
    found.push(invalid(at, names, 'the same resource cannot be specified multiple times'));
  if (pairs.some(([a, b]) => overlap(a, b)))
    found.push(
      invalid(
        at,
        names,
        "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked",
      ),
    );
  names.forEach((name, i) => {
    const problem = problemOf(name);
    if (problem !== undefined) found.push(invalid(at.index(i), name, problem));
  });
  return found;
}

const printed = ({ group, resource }: GroupResource): string =>
  group === '' ? (resource === '*' ? '*.' : resource) : `${resource}.${group}`;

/** Rules that an earlier one leaves nothing for (k8s encryptionconfig/config.go:getTransformerOverridesAndKMSPluginProbes). */
export function checkMasks(rules: readonly EncryptionRule[]): string | undefined {
  const seen: GroupResource[] = [];
  for (const own of rules.flatMap(({ resources }) => resources.map(parseResource))) {
    const masks = [
      { group: own.group, resource: '*' },
      { group: '*', resource: '*' },
    ];
    const mask = masks.find((one) => seen.some((earlier) => isSame(earlier, one)));
    if (mask)
      return `resource ${JSON.stringify(printed(own))} is masked by earlier rule ${JSON.stringify(printed(mask))}`;
    seen.push(own);
  }
  return undefined;
}
