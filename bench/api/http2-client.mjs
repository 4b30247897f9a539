// A client of HTTP/2 in a process of its own: GETs one path on a few connections, and tells how often.
import { connect } from 'node:http2';

const [url, path, token, seconds] = process.argv.slice(2);
const [CONNECTIONS, STREAMS] = [4, 4];
let [requests, bytes, stopped] = [0, 0, false];

function ask(session) {
  const stream = session.request({ ':path': path, authorization: `Bearer ${token}` });
  stream.on('data', (chunk) => (bytes += chunk.length));
  stream.on('end', () => {
    requests++;
    if (!stopped) ask(session);
  });
  stream.on('error', () => undefined);
  stream.end();
}

const sessions = Array.from({ length: CONNECTIONS }, () =>
  connect(url, { rejectUnauthorized: false }),
);
for (const session of sessions) for (let i = 0; i < STREAMS; i++) ask(session);
setTimeout(
  () => {
    stopped = true;
    process.stdout.write(JSON.stringify({ requests, bytes }), () => process.exit());
  },
  Number(seconds) * 1000,
);
