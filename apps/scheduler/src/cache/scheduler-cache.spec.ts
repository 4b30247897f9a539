import { beforeEach, describe, expect, it } from '@jest/globals';
import { node, pod } from '../../test/builders.js';
import { FakeClock } from '../../test/fake-clock.js';
import { SchedulerCache } from './scheduler-cache.js';

describe(SchedulerCache.name, () => {
  let clock: FakeClock;
  let cache: SchedulerCache;
  const a = pod('a').requests({ cpu: '1' });

  beforeEach(() => {
    clock = new FakeClock();
    cache = new SchedulerCache(clock);
    cache.setNode(node('n1').build());
  });

  const used = (name = 'n1'): number | undefined => cache.get(name)?.requested.milliCpu;

  it('counts an assumed pod until it is forgotten', () => {
    cache.assume(a.info(), 'n1');
    expect(used()).toBe(1000);
    cache.forget('uid-a');
    expect(used()).toBe(0);
  });

  it('counts a pod once when the watch confirms it', () => {
    cache.assume(a.info(), 'n1');
    cache.setPod(pod('a').requests({ cpu: '1' }).on('n1').info());
    cache.forget('uid-a');
    expect(used()).toBe(1000);
  });

  it('moves a pod that was assumed on another node than the watch shows', () => {
    cache.setNode(node('n2').build());
    cache.assume(a.info(), 'n1');
    cache.setPod(pod('a').requests({ cpu: '1' }).on('n2').info());
    expect([used('n1'), used('n2')]).toEqual([0, 1000]);
  });

  it('gives the place of a bound pod back that is never seen', () => {
    cache.assume(a.info(), 'n1');
    cache.finishBinding('uid-a');
    clock.advance(29_000);
    expect(cache.expire()).toEqual([]);
    clock.advance(2_000);
    expect(cache.expire().map(({ name }) => name)).toEqual(['a']);
    expect(used()).toBe(0);
  });

  it('keeps an assumed pod whose binding is still being written', () => {
    cache.assume(a.info(), 'n1');
    clock.advance(600_000);
    expect(cache.expire()).toEqual([]);
  });

  it('remembers the pods of a node that is not known yet, or no longer', () => {
    cache.setPod(pod('b').requests({ cpu: '2' }).on('n2').info());
    expect(cache.list().map(({ name }) => name)).toEqual(['n1']);
    cache.setNode(node('n2').build());
    expect(used('n2')).toBe(2000);
    cache.removeNode('n2');
    expect(cache.get('n2')).toBeUndefined();
  });

  it('takes nodes of each zone in turn', () => {
    cache.removeNode('n1');
    const zones = { a1: 'a', a2: 'a', b1: 'b', c1: 'c' };
    for (const [name, zone] of Object.entries(zones)) cache.setNode(node(name).zone(zone).build());
    expect(cache.list().map(({ name }) => name)).toEqual(['a1', 'b1', 'c1', 'a2']);
  });

  it('keeps the terms of pods while there are such pods', () => {
    const term = { topologyKey: 'zone' };
    cache.setPod(pod('x').apart(term).on('n1').info());
    expect([...cache.terms.of('requiredAntiAffinity')]).toHaveLength(1);
    cache.removePod('uid-x');
    expect([...cache.terms.of('requiredAntiAffinity')]).toEqual([]);
  });

  it('follows what a selector picks, by node and by domain', () => {
    cache.setNode(node('n1').zone('a').build());
    cache.setNode(node('n2').zone('b').build());
    const web = cache.counts({ key: 'web', matches: (each) => each.name.startsWith('web') });
    cache.setPod(pod('web-0').on('n1').info());
    cache.setPod(pod('db').on('n1').info());
    expect([...web.in('topology.kubernetes.io/zone')]).toEqual([['a', 1]]);
    cache.setNode(node('n1').zone('b').build());
    cache.assume(pod('web-1').info(), 'n2');
    expect([...web.in('topology.kubernetes.io/zone')]).toEqual([['b', 2]]);
    cache.forget('uid-web-1');
    expect(web.total).toBe(1);
  });
});
