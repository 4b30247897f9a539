import type { ListeningHandle, OfferedHandle } from './handle-channel.js';

/** Sockets that an earlier process had open, until a frontend takes them. */
export class InheritedHandles {
  private readonly byFrontend = new Map<string, ListeningHandle[]>();

  add(offered: readonly OfferedHandle[]): void {
    for (const { text, handle } of offered) {
      const known = this.byFrontend.get(text);
      if (known) known.push(handle);
      else this.byFrontend.set(text, [handle]);
    }
  }

  /** Those of one frontend; the caller owns them from now on. */
  take(text: string): readonly ListeningHandle[] {
    const found = this.byFrontend.get(text) ?? [];
    this.byFrontend.delete(text);
    return found;
  }

  /** Closes what nobody wanted. */
  close(): void {
    for (const handle of [...this.byFrontend.values()].flat()) handle.close();
    this.byFrontend.clear();
  }
}
