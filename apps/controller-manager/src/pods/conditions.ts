/** The shape that all conditions share. */
export interface ConditionLike {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
}

/**
 * The conditions with `next` in them. One of the same status and reason stands as it is; one of the same status
 * keeps its transition time (k8s pkg/controller/deployment/util/deployment_util.go: SetDeploymentCondition).
 */
export function withCondition<C extends ConditionLike>(conditions: readonly C[], next: C): C[] {
  const current = conditions.find((condition) => condition.type === next.type);
  if (current && current.status === next.status && current.reason === next.reason)
    return [...conditions];
  const kept =
    current?.status === next.status && current.lastTransitionTime
      ? { ...next, lastTransitionTime: current.lastTransitionTime }
      : next;
  return [...withoutCondition(conditions, next.type), kept];
}

export const withoutCondition = <C extends ConditionLike>(
  conditions: readonly C[],
  type: string,
): C[] => conditions.filter((condition) => condition.type !== type);
