import type { LogEvent } from '../history/log-event.js';
import type { Labels, ObjectVersion } from '../history/object-version.js';
import { inScope, isSelected } from '../history/object-version.js';
import type { WatchChange } from '../history/watch-record.js';
import type { SimulatedStore } from './simulated-store.js';

/** A watch's view of the store: remembers what matches and turns commits into changes. */
export class SimulatedStream {
  private readonly matching: Map<string, ObjectVersion>;

  constructor(
    private readonly store: SimulatedStore,
    private readonly scope: string,
    private readonly selector: Labels | undefined,
    private position: number,
  ) {
    const state = store.list(scope, selector, position);
    this.matching = new Map(state.map((object) => [object.key, object]));
  }

  /** The last revision it has shown or passed over. */
  get rv(): number {
    return this.position;
  }

  /** What matches now. */
  state(): ObjectVersion[] {
    return [...this.matching.values()];
  }

  /** Everything committed since the last call. */
  advance(): WatchChange[] {
    const changes = this.store.events
      .slice(firstAfter(this.store.events, this.position))
      .flatMap((event) => this.show(event) ?? []);
    this.position = this.store.rv;
    return changes;
  }

  private show({ key, object, rv, at }: LogEvent): WatchChange | undefined {
    if (!inScope(this.scope, key)) return undefined;
    const time = at === undefined ? {} : { at };
    const before = this.matching.get(key);
    if (object && isSelected(this.selector, object.labels)) {
      this.matching.set(key, object);
      return { type: before ? 'MODIFIED' : 'ADDED', object, ...time };
    }
    if (!before) return undefined;
    this.matching.delete(key);
    return { type: 'DELETED', object: { ...before, rv }, ...time };
  }
}

function firstAfter(events: readonly LogEvent[], rv: number): number {
  let index = events.length;
  while (index > 0 && (events[index - 1]?.rv ?? 0) > rv) index--;
  return index;
}
