import type { EndpointView, RuleView } from '@orrery/dataplane';
import { ruleKey } from '@orrery/dataplane';

const sum = (left: readonly number[], right: readonly number[]): number[] =>
  left.map((value, i) => value + (right[i] ?? 0));

function mergeEndpoint(left: EndpointView, right: EndpointView): EndpointView {
  return {
    backend: left.backend,
    open: left.open + right.open,
    connections: left.connections + right.connections,
    errors: left.errors + right.errors,
    bytesToBackend: left.bytesToBackend + right.bytesToBackend,
    bytesFromBackend: left.bytesFromBackend + right.bytesFromBackend,
    dialSeconds: {
      counts: sum(left.dialSeconds.counts, right.dialSeconds.counts),
      sum: left.dialSeconds.sum + right.dialSeconds.sum,
    },
  };
}

function mergeRule(left: RuleView, right: RuleView): RuleView {
  const endpoints = new Map(left.endpoints.map((endpoint) => [endpoint.backend, endpoint]));
  for (const endpoint of right.endpoints) {
    const known = endpoints.get(endpoint.backend);
    endpoints.set(endpoint.backend, known ? mergeEndpoint(known, endpoint) : endpoint);
  }
  const open = [...endpoints.values()].filter((endpoint) => endpoint.open > 0);
  return {
    ...left,
    limited: left.limited + right.limited,
    endpoints: [...endpoints.values()],
    connections: Object.fromEntries(open.map((one) => [one.backend, one.open])),
  };
}

/** One view of what several processes hold of the same rules. */
export function mergeViews(views: readonly (readonly RuleView[])[]): readonly RuleView[] {
  const merged = new Map<string, RuleView>();
  for (const view of views.flat()) {
    const key = `${view.node} ${ruleKey(view.rule)}`;
    const known = merged.get(key);
    merged.set(key, known ? mergeRule(known, view) : view);
  }
  return [...merged.values()];
}
