import type { ContainerEventResponse, Init } from '@orrery/cri';

export type ContainerEvent = Init<ContainerEventResponse>;

/** Tells every subscriber of GetContainerEvents what happens to containers from then on. */
export class ContainerEvents {
  private readonly listeners = new Set<(event: ContainerEvent) => void>();

  emit(event: ContainerEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  async *subscribe(signal: AbortSignal): AsyncGenerator<ContainerEvent> {
    const queue: ContainerEvent[] = [];
    let wake: () => void = () => undefined;
    const listener = (event: ContainerEvent): void => {
      queue.push(event);
      wake();
    };
    const onAbort = (): void => {
      wake();
    };
    this.listeners.add(listener);
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      this.listeners.delete(listener);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
