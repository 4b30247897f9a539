// Preloaded into a server under attack: on SIGUSR2, prints how long its event loop was held up since the last time: by
// the clock, and by the processor time that its thread spent from one turn to the next. A busy machine adds to the first only.
const TICK_MS = 1;

const now = () => process.hrtime.bigint();
const cpu = () => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};

let wall = now();
let spent = cpu();
let longest = { maxMs: 0, cpuMs: 0 };
setInterval(() => {
  const [at, used] = [now(), cpu()];
  longest.maxMs = Math.max(longest.maxMs, Number(at - wall) / 1e6 - TICK_MS);
  longest.cpuMs = Math.max(longest.cpuMs, (used - spent) / 1e3);
  wall = at;
  spent = used;
}, TICK_MS).unref();
process.on('SIGUSR2', () => {
  const rssMb = process.memoryUsage().rss / 2 ** 20;
  process.stderr.write(`loop-delay ${JSON.stringify({ ...longest, rssMb })}\n`);
  longest = { maxMs: 0, cpuMs: 0 };
});
