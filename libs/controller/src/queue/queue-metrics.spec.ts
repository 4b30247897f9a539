import { describe, expect, it } from '@jest/globals';
import { SteppedClock, createMetrics } from '@orrery/component';
import { QueueMetrics, createQueueMeters } from './queue-metrics.js';

describe('QueueMetrics', () => {
  it('tells of the queue by the names of upstream', async () => {
    const metrics = createMetrics();
    const clock = new SteppedClock();
    const queue = new QueueMetrics('deployment-controller', clock, createQueueMeters(metrics));
    queue.added('a');
    queue.added('b');
    queue.started('a');
    await clock.step(3000, 0);
    queue.finished('a');
    queue.started('b');
    await clock.step(5000, 0);
    const text = await metrics.text();
    const label = '{name="deployment-controller"}';
    expect(text).toContain(`workqueue_adds_total${label} 2`);
    expect(text).toContain(`workqueue_retries_total${label} 0`);
    expect(text).toContain(`workqueue_depth${label} 0`);
    expect(text).toContain('workqueue_work_duration_seconds_count{name="deployment-controller"} 1');
    expect(text).toContain(
      'workqueue_queue_duration_seconds_count{name="deployment-controller"} 2',
    );
    expect(text).toMatch(/workqueue_unfinished_work_seconds\{name="deployment-controller"\} 5/);
    expect(text).toMatch(/workqueue_longest_running_processor_seconds\{[^}]*\} 5/);
  });
});
