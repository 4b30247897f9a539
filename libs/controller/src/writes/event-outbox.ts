import type { Reaction } from '@orrery/apimachinery';
import { isConnectionError, reactingTo } from '@orrery/client';
import type { Clock, Logger } from '@orrery/component';

export interface EventOutboxOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Writes one event; rejects with ConnectionError, or EventTooEarly, where it is to be tried again. */
export type EventWrite = () => Promise<void>;

/** The server cannot take the event yet. */
export class EventTooEarly extends Error {
  override readonly name = 'EventTooEarly';
}

interface Waiting {
  /** Asked when its turn has come; undefined = nothing is written. */
  readonly toWrite: () => EventWrite | undefined;
  readonly reaction: Reaction;
}

/** Beyond it events are dropped: so many wait when a thousand pods a second are placed on a busy server. */
const MAX_WAITING = 20_000;
/** k8s client-go tools/record/event.go, tools/events/event_broadcaster.go: maxTriesPerEvent, defaultSleepDuration. */
const MAX_TRIES = 12;
const RETRY_MS = 10_000;

/** Writes events one after another in the background, in their order. One that nobody answers is tried again; what the server refuses is dropped. */
export class EventOutbox {
  #waiting: Waiting[] = [];
  /** Of the last run through what waits. */
  #writing: Promise<void> | undefined;
  /** Apart from `#writing`: a run in which nothing is written is over before its promise is known. */
  #isWriting = false;
  /** Ends the wait for a server that does not answer. */
  #hurry: (() => void) | undefined;
  #isEnding = false;

  constructor(private readonly options: EventOutboxOptions) {}

  get isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  put(reaction: Reaction, toWrite: Waiting['toWrite']): void {
    if (this.isFull) return;
    this.#waiting.push({ reaction, toWrite });
    if (!this.#isWriting) this.#writing = this.#drain();
  }

  /** Resolves when all that was put in so far is written or dropped; a server that does not answer is not waited for. */
  async flush(): Promise<void> {
    this.#isEnding = true;
    this.#hurry?.();
    await this.#writing;
    this.#isEnding = false;
  }

  async #drain(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const all = this.#waiting;
      this.#waiting = [];
      for (const { reaction, toWrite } of all) {
        const write = toWrite();
        if (write) await reactingTo(reaction, () => this.#try(write));
      }
    }
    this.#isWriting = false;
  }

  async #try(write: EventWrite): Promise<void> {
    for (let tries = 1; ; tries++)
      try {
        await write();
        return;
      } catch (error) {
        const mayHelp = isConnectionError(error) || error instanceof EventTooEarly;
        if (!mayHelp || this.#isEnding || tries >= MAX_TRIES) {
          this.options.logger.debug('event not written', { error: String(error) });
          return;
        }
        await this.#pause();
      }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(RETRY_MS, resolve, { unref: true });
      this.#hurry = () => {
        cancel();
        resolve();
      };
    });
  }
}
