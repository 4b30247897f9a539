import type { Clock } from './clock.js';

const MAX_ANSWERS = 1_000;

/** Answers that hold for a while: of who somebody is, of what somebody may do. */
export class AnswerCache {
  readonly #answers = new Map<string, { readonly value: unknown; readonly untilMs: number }>();

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /** The answer known by `key`, else that of `load`; failures are not kept. */
  async of<T>(key: string, load: () => Promise<T>, holdsMs: (value: T) => number): Promise<T> {
    const now = this.clock.monotonic();
    const found = this.#answers.get(key);
    if (found && found.untilMs > now) return found.value as T;
    const value = await load();
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(key, { value, untilMs: now + holdsMs(value) });
    return value;
  }
}
