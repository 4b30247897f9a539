import { globOf } from './glob.js';
import type { Reply } from './resp.js';

/** A connection that may listen to channels. */
export interface Subscriber {
  send(reply: Reply): void;
}

interface Subscriptions {
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
}

/** Publish and subscribe of one redis server. */
export class Channels {
  private readonly subscribers = new Map<Subscriber, Subscriptions>();

  /** In this state a connection may only change what it listens to. */
  isListening(subscriber: Subscriber): boolean {
    return this.countOf(subscriber) > 0;
  }

  subscribe(subscriber: Subscriber, names: readonly string[], kind: keyof Subscriptions): void {
    const own = this.subscribers.get(subscriber) ?? { channels: new Set(), patterns: new Set() };
    this.subscribers.set(subscriber, own);
    for (const name of names) {
      own[kind].add(name);
      this.confirm(subscriber, kind === 'channels' ? 'subscribe' : 'psubscribe', name);
    }
  }

  /** Without names from all. */
  unsubscribe(subscriber: Subscriber, names: readonly string[], kind: keyof Subscriptions): void {
    const verb = kind === 'channels' ? 'unsubscribe' : 'punsubscribe';
    const own = this.subscribers.get(subscriber)?.[kind] ?? new Set<string>();
    const left = names.length > 0 ? names : [...own];
    if (left.length === 0) this.confirm(subscriber, verb, undefined);
    for (const name of left) {
      own.delete(name);
      this.confirm(subscriber, verb, name);
    }
    if (this.countOf(subscriber) === 0) this.subscribers.delete(subscriber);
  }

  leave(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber);
  }

  /** How many connections got the message. */
  publish(channel: string, message: Buffer): number {
    const name = Buffer.from(channel);
    let count = 0;
    for (const [subscriber, { channels, patterns }] of this.subscribers) {
      if (channels.has(channel)) {
        subscriber.send([Buffer.from('message'), name, message]);
        count++;
      }
      for (const pattern of patterns) {
        if (!globOf(pattern).test(channel)) continue;
        subscriber.send([Buffer.from('pmessage'), Buffer.from(pattern), name, message]);
        count++;
      }
    }
    return count;
  }

  private countOf(subscriber: Subscriber): number {
    const own = this.subscribers.get(subscriber);
    return (own?.channels.size ?? 0) + (own?.patterns.size ?? 0);
  }

  private confirm(subscriber: Subscriber, verb: string, name: string | undefined): void {
    const shown = name === undefined ? null : Buffer.from(name);
    subscriber.send([Buffer.from(verb), shown, this.countOf(subscriber)]);
  }
}
