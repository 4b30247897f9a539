import type { Pod } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';
import { ageOf } from '../../../table/human-duration.js';
import { podStateOf } from './pod-state.js';

function readinessGates(pod: Pod): string {
  const gates = list(pod.spec?.readinessGates);
  const passed = gates.filter((gate) =>
    list(pod.status?.conditions).some((c) => c.type === gate.conditionType && c.status === 'True'),
  );
  return gates.length === 0 ? '<none>' : `${passed.length}/${gates.length}`;
}

function restarts(pod: Pod, now: number): string {
  const state = podStateOf(pod);
  return state.restarts > 0 && state.lastRestart
    ? `${state.restarts} (${ageOf(state.lastRestart, now)} ago)`
    : String(state.restarts);
}

export const podColumns = table<Pod>([
  nameColumn,
  column('Ready', (pod) => {
    const { ready, total } = podStateOf(pod);
    return `${ready}/${total}`;
  }),
  column('Status', (pod) => podStateOf(pod).reason),
  column('Restarts', restarts),
  ageColumn,
  wide('IP', (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>'),
  wide('Node', (pod) => pod.spec?.nodeName || '<none>'),
  wide('Nominated Node', (pod) => pod.status?.nominatedNodeName || '<none>'),
  wide('Readiness Gates', readinessGates),
]);
