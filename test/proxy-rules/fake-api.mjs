// A read-only API server over plain HTTP for a kube-proxy in a network namespace: lists from a file, watches that say nothing.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const [file, port] = process.argv.slice(2);
/** By path of the collection: the list that is answered. */
const lists = JSON.parse(readFileSync(file, 'utf8'));

createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const list = lists[url.pathname];
  response.setHeader('content-type', 'application/json');
  if (!list) {
    response
      .writeHead(404)
      .end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', code: 404, reason: 'NotFound' }));
  } else if (url.searchParams.get('watch')) {
    response.writeHead(200).flushHeaders();
  } else response.end(JSON.stringify(list));
}).listen(Number(port), '127.0.0.1');
