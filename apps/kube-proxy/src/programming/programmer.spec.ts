import { describe, expect, it } from '@jest/globals';
import { SystemClock, silentLogger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import type { RuleChanges, RuleSet, ServiceRule } from '@orrery/dataplane';
import { Programmer } from './programmer.js';
import type { RuleSink } from './programmer.js';

const rule = (id: string, address = '127.9.65.2'): ServiceRule => ({
  id,
  protocol: 'TCP',
  frontends: [{ address: '127.9.128.5', port: 80, kind: 'clusterIP' }],
  policy: 'rr',
  affinityMs: 0,
  backends: [{ address, port: 80, weight: 1 }],
});

/** A dataplane that keeps what it is told and can be restarted. */
class RecordingSink implements RuleSink {
  readonly log: string[] = [];
  private gone: (() => void) | undefined;
  connections = 0;

  replace(set: RuleSet): Promise<[]> {
    this.log.push(`put ${set.rules.map((r) => r.id).join(' ')}`);
    return Promise.resolve([]);
  }

  change(_: string, changes: RuleChanges): Promise<[]> {
    this.log.push(`patch +${changes.set.map((r) => r.id).join(' ')} -${changes.remove.join(' ')}`);
    return Promise.resolve([]);
  }

  untilGone(connected: () => void, signal: AbortSignal): Promise<void> {
    this.connections += 1;
    connected();
    return new Promise((resolve) => {
      this.gone = resolve;
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
  }

  restart(): void {
    this.gone?.();
  }
}

const settle = (until: () => boolean): Promise<void> =>
  eventually(() => {
    expect(until()).toBe(true);
  });

describe(Programmer.name, () => {
  it('sends all rules once complete, then changes, then all again to a restarted dataplane', async () => {
    const sink = new RecordingSink();
    const stop = new AbortController();
    const programmer = new Programmer({
      node: 'k8s-01',
      sink,
      clock: new SystemClock(),
      logger: silentLogger,
    });
    const running = programmer.start(stop.signal);
    programmer.set('default/a', [rule('default/a')]);
    expect(sink.log).toEqual([]);
    programmer.complete();
    await settle(() => sink.log.length === 1);
    programmer.set('default/b', [rule('default/b')]);
    programmer.set('default/a', []);
    await settle(() => sink.log.length >= 3);
    sink.restart();
    await settle(() => sink.connections === 2 && sink.log.length === 4);
    stop.abort();
    await running;
    expect(sink.log).toEqual([
      'put default/a',
      'patch +default/b -',
      'patch + -TCP default/a',
      'put default/b',
    ]);
  });

  it('sends nothing when nothing changed', async () => {
    const sink = new RecordingSink();
    const stop = new AbortController();
    const programmer = new Programmer({
      node: 'k8s-01',
      sink,
      clock: new SystemClock(),
      logger: silentLogger,
    });
    const running = programmer.start(stop.signal);
    programmer.set('default/a', [rule('default/a')]);
    programmer.complete();
    await settle(() => sink.log.length === 1);
    programmer.set('default/a', [rule('default/a')]);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await running;
    expect(sink.log).toHaveLength(1);
  });
});
