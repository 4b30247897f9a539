import { formatQuantity, parseQuantity } from '@orrery/apimachinery';
import { isDeepStrictEqual } from 'node:util';
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NodeSelector,
  NodeSelectorRequirement,
  ResourceClaim,
} from '@orrery/api';
import type { RequestPlan } from './requests.js';
import type { Grant } from './search.js';

function consumedTexts({ share, candidate }: Grant): Record<string, string> {
  const { capacity = {} } = candidate.device;
  return Object.fromEntries(
    [...(share ?? [])].map(([name, nanos]) => {
      const { format } = parseQuantity(capacity[name]?.value ?? '0');
      return [name, formatQuantity({ nanos, format })];
    }),
  );
}

function toResult(grant: Grant, uuid: () => string): DeviceRequestAllocationResult {
  const { ask, candidate, share } = grant;
  const { device, driver, pool } = candidate;
  const { bindingConditions, bindingFailureConditions } = device;
  const consumed = consumedTexts(grant);
  return {
    request: ask.name,
    driver,
    pool: pool.name,
    device: device.name,
    ...(ask.adminAccess ? { adminAccess: true } : {}),
    ...(ask.tolerations.length > 0 ? { tolerations: [...ask.tolerations] } : {}),
    ...(bindingConditions ? { bindingConditions } : {}),
    ...(bindingFailureConditions ? { bindingFailureConditions } : {}),
    ...(share ? { shareID: uuid() } : {}),
    ...(Object.keys(consumed).length > 0 ? { consumedCapacity: consumed } : {}),
  };
}

/** The ways in which requests were satisfied: those with grants, and requests for nothing as they are. */
function chosenNames(requests: readonly RequestPlan[], grants: readonly Grant[]): string[] {
  const granted = new Set(grants.map(({ ask }) => ask.name));
  return requests.map(
    ({ asks, name }) => asks.find((ask) => granted.has(ask.name))?.name ?? asks[0]?.name ?? name,
  );
}

/** Each class's configurations once, for all requests of the class. */
function classConfigs(
  requests: readonly RequestPlan[],
  chosen: readonly string[],
): DeviceAllocationConfiguration[] {
  const byClass = new Map<string, { names: string[]; request: RequestPlan }>();
  for (const [i, request] of requests.entries()) {
    const ask = request.asks.find(({ name }) => name === chosen[i]);
    const className = ask?.class.metadata.name ?? '';
    const known = byClass.get(className) ?? { names: [], request };
    known.names.push(chosen[i] ?? '');
    byClass.set(className, known);
  }
  return [...byClass].flatMap(([className, { names, request }]) => {
    const found = request.asks.find((ask) => ask.class.metadata.name === className);
    return (found?.class.spec.config ?? []).map((config): DeviceAllocationConfiguration => ({
      source: 'FromClass',
      requests: names,
      ...config,
    }));
  });
}

/** One for each request that it names, as upstream has it. */
function claimConfigs(
  { spec }: ResourceClaim,
  chosen: readonly string[],
): DeviceAllocationConfiguration[] {
  return (spec.devices?.config ?? []).flatMap((config) => {
    const one: DeviceAllocationConfiguration = { source: 'FromClaim', ...config };
    const { requests = [] } = config;
    if (requests.length === 0) return [one];
    const named = (name: string): boolean =>
      requests.includes(name) || requests.includes(name.split('/')[0] ?? name);
    return chosen.filter(named).map(() => one);
  });
}

const matchesName = (nodeName: string): NodeSelector => ({
  nodeSelectorTerms: [
    { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] },
  ],
});

function addNew(
  to: NodeSelectorRequirement[],
  from: readonly NodeSelectorRequirement[] | undefined,
): void {
  for (const each of from ?? [])
    if (!to.some((known) => isDeepStrictEqual(known, each))) to.push(each);
}

/** From where all devices can be reached; undefined = from everywhere. */
function nodesOf(grants: readonly Grant[], nodeName: string): NodeSelector | undefined {
  const matchFields: NodeSelectorRequirement[] = [];
  const matchExpressions: NodeSelectorRequirement[] = [];
  for (const { candidate } of grants) {
    const { slice, device } = candidate;
    const reach = slice.spec.perDeviceNodeSelection ? device : slice.spec;
    if (reach.nodeName || device.bindsToNode) return matchesName(nodeName);
    const [term] = reach.nodeSelector?.nodeSelectorTerms ?? [];
    addNew(matchFields, term?.matchFields);
    addNew(matchExpressions, term?.matchExpressions);
  }
  if (matchFields.length === 0 && matchExpressions.length === 0) return undefined;
  return {
    nodeSelectorTerms: [
      {
        ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
        ...(matchFields.length > 0 ? { matchFields } : {}),
      },
    ],
  };
}

export interface Granted {
  readonly claim: ResourceClaim;
  readonly requests: readonly RequestPlan[];
  readonly grants: readonly Grant[];
  readonly nodeName: string;
}

/** What is written into the claim's status. */
export function toAllocation(
  { claim, requests, grants, nodeName }: Granted,
  uuid: () => string,
): AllocationResult {
  const chosen = chosenNames(requests, grants);
  const config = [...classConfigs(requests, chosen), ...claimConfigs(claim, chosen)];
  const nodeSelector = nodesOf(grants, nodeName);
  return {
    devices: {
      results: grants.map((grant) => toResult(grant, uuid)),
      ...(config.length > 0 ? { config } : {}),
    },
    ...(nodeSelector ? { nodeSelector } : {}),
  };
}
