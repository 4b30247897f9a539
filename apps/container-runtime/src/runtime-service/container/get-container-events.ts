import type { ContainerEvent } from '../../engine/container-events.js';
import type { Runtime } from '../../runtime.js';

export function getContainerEvents(
  runtime: Runtime,
  signal: AbortSignal,
): AsyncIterable<ContainerEvent> {
  return runtime.events.subscribe(signal);
}
