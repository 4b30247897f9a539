import { describe, expect, it } from '@jest/globals';
import { createMetrics } from './metrics.js';

describe('tallies', () => {
  it('read as counters and histograms do', async () => {
    const help = 'As ever.';
    const [plain, tallied] = [createMetrics(), createMetrics()];
    const counter = plain.counter({ name: 'a_total', help, labels: ['code'] });
    const histogram = plain.histogram({ name: 'b', help, labels: ['code'], buckets: [1, 2] });
    const count = tallied.tally({ name: 'a_total', help }).of({ code: '200' });
    const observe = tallied
      .talliedHistogram({ name: 'b', help, buckets: [1, 2] })
      .of({ code: '200' });
    const again = tallied.tally({ name: 'a_total', help }).of({ code: '200' });
    for (const value of [0.5, 1, 1.5, 7]) {
      counter.inc({ code: '200' });
      if (value < 1) count();
      else again();
      histogram.observe({ code: '200' }, value);
      observe(value);
    }
    expect(await tallied.text()).toBe(await plain.text());
  });

  it('tell nothing of labels that have not been counted', async () => {
    const metrics = createMetrics();
    metrics.tally({ name: 'a_total', help: 'x' }).of({ code: '500' });
    expect(await metrics.text()).not.toContain('500');
  });
});
