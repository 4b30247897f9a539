import type { CriLog, LogStream } from '../logs/cri-log.js';
import type { Task } from './task.js';

export type OutputListener = (stream: LogStream, chunk: Buffer) => void;

/** A running container's log, its listeners (kubectl attach), and the task behind it. */
export class LiveContainer {
  task: Task | undefined;
  private readonly listeners = new Set<OutputListener>();

  constructor(readonly log: CriLog) {}

  readonly output = (stream: LogStream, chunk: Buffer): void => {
    this.log.write(stream, chunk);
    for (const listener of this.listeners) listener(stream, chunk);
  };

  /** Returns the function that ends it. */
  attach(listener: OutputListener): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
