// Preloaded into a server under attack: on SIGUSR2, prints how long its event loop was held up since the last time.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
process.on('SIGUSR2', () => {
  const { rss } = process.memoryUsage();
  const held = {
    maxMs: delays.max / 1e6,
    p99Ms: delays.percentile(99) / 1e6,
    rssMb: rss / 2 ** 20,
  };
  process.stderr.write(`loop-delay ${JSON.stringify(held)}\n`);
  delays.reset();
});
