// Load on one side: wrk for HTTP/1.1, clients of Node for HTTP/2.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOKEN, scratch } from './servers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
/** Between one number of a name and the next round's. */
let serial = 0;

const HEAD = `
wrk.headers["Authorization"] = "Bearer ${TOKEN}"
wrk.headers["Accept"] = "application/json"
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests":%d,"bytes":%d,"us":%d,"p50":%d,"p99":%d,"failed":%d}\\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status))
end
`;

/** Holds wrk back when `most` are under way. */
const sparing = (most) => `
local told = false
function delay()
  if n < ${most} then return 0 end
  if not told then
    told = true
    io.write("ENOUGH\\n")
    io.flush()
  end
  return 1000000
end
`;

/** A script that posts `body`, where NAME stands for a name of its own; at most `most` times. */
const posting = (body, prefix, most) => `${HEAD}
local n = 0
local head, tail = [[${body.split('NAME')[0]}]], [[${body.split('NAME')[1]}]]
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
${most === Infinity ? '' : sparing(most)}
function request()
  n = n + 1
  if n > ${most === Infinity ? '1e9' : most} then return wrk.format("GET", "/readyz", nil, "") end
  return wrk.format(nil, nil, nil, head .. "${prefix}" .. n .. tail)
end
`;

export function startWrk(side, path, { connections = 32, seconds = 2, body, most = Infinity }) {
  const round = serial++;
  const file = scratch(`load-${round}.lua`);
  writeFileSync(file, body ? posting(body, `r${round}-`, most) : HEAD);
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s', '--latency'];
  const child = spawn('wrk', [...args, '-s', file, `${side.url}${path}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
    // What is under way is answered before wrk tells what it has done.
    if (output.includes('ENOUGH')) setTimeout(() => child.kill('SIGINT'), 500);
  });
  const result = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      const line = /RESULT (.*)\n/.exec(output);
      if (line) resolve(JSON.parse(line[1]));
      else reject(new Error(`wrk: ${output}`));
    });
  });
  return { child, result };
}

/** Requests, bytes and failures of some seconds of load, and what they cost the server. */
export async function load(side, path, options) {
  const before = side.cpu;
  const result = await startWrk(side, path, options).result;
  const cpu = Math.max(0.01, side.cpu - before);
  if (result.failed > result.requests / 100)
    process.stderr.write(`${side.name}: ${result.failed} of ${result.requests} failed\n`);
  return { ...result, seconds: result.us / 1e6, cpu };
}

/** The same over HTTP/2: as many streams at once as `connections`, on a few connections of two clients. */
export async function loadHttp2(side, path, { seconds = 2 }) {
  const before = side.cpu;
  const clients = [0, 1].map(
    () =>
      new Promise((resolve, reject) => {
        const args = [join(here, 'http2-client.mjs'), side.url, path, TOKEN, String(seconds)];
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        let output = '';
        child.stdout.on('data', (text) => (output += text));
        child.once('exit', (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(code)));
      }),
  );
  const results = await Promise.all(clients);
  const cpu = Math.max(0.01, side.cpu - before);
  const sum = (key) => results.reduce((total, each) => total + each[key], 0);
  return { requests: sum('requests'), bytes: sum('bytes'), seconds, cpu };
}

/** Bytes that a process has read, as the kernel counts them. */
const bytesReadBy = (pid) =>
  Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))[1]);

async function quiet(read, stillMs, until = Infinity) {
  let [last, since] = [read(), performance.now()];
  while (performance.now() - since < stillMs) {
    await sleep(5);
    if (Date.now() > until) throw new Error('it does not become quiet');
    const now = read();
    if (now !== last) [last, since] = [now, performance.now()];
  }
  return { bytes: last, at: since };
}

/**
 * Events a second that reach `watchers` clients while ConfigMaps are written. The clients are wrk, which reads and
 * counts only; a watch of our own tells how many events and bytes each has been sent.
 */
export async function fanOut(side, path, { watchers, writes, body }) {
  const opened = Date.now();
  const { child, result } = startWrk(side, `${path}?watch=1&timeoutSeconds=600`, {
    connections: watchers,
    seconds: 600,
  });
  await sleep(500);
  const counter = await side.open('GET', `${path}?watch=1`);
  let [events, bytes] = [0, 0];
  counter.on('data', (chunk) => {
    bytes += chunk.length;
    for (const byte of chunk) if (byte === 10) events++;
  });
  // Handshakes are over when nothing has come for a while.
  await quiet(() => bytesReadBy(child.pid) + bytes, 1000, opened + 300_000).catch(() => {
    child.kill('SIGKILL');
    counter.destroy();
    throw new Error(`${side.name}: ${watchers} watches take more than five minutes to open`);
  });
  const start = {
    cpu: side.cpu,
    at: performance.now(),
    read: bytesReadBy(child.pid),
    events,
    bytes,
  };
  await startWrk(side, path, { connections: 32, seconds: 60, body, most: writes }).result;
  const end = await quiet(() => bytesReadBy(child.pid), 700);
  const cpu = Math.max(0.01, side.cpu - start.cpu);
  const each = { events: events - start.events, bytes: bytes - start.bytes };
  child.kill('SIGINT');
  counter.destroy();
  await result.catch(() => undefined);
  const delivered = (end.bytes - start.read) / each.bytes;
  if (delivered < watchers * 0.99)
    process.stderr.write(`${side.name}: ${delivered.toFixed(0)} of ${watchers} got all events\n`);
  const sent = Math.min(delivered, watchers) * each.events;
  return {
    requests: sent,
    bytes: end.bytes - start.read,
    seconds: (end.at - start.at) / 1000,
    cpu,
  };
}
