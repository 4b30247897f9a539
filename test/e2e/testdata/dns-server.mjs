// A name server over UDP: node dns-server.mjs RECORDS.json answers the A records of that file, and no other name.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';

const records = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const A = 1;
const HEADER = 12;
const NO_SUCH_NAME = 3;

/** The name of the first question, and where the question ends. */
function question(message) {
  const labels = [];
  let at = HEADER;
  while (message[at] !== 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
    at += 1 + message[at];
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function reply(message) {
  const { name, type, end } = question(message);
  const address = records[name];
  const hasAnswer = address !== undefined && type === A;
  const head = Buffer.from(message.subarray(0, end));
  // An answer with recursion, authoritative; no further sections.
  head.writeUInt16BE(0x8580 | (address === undefined ? NO_SUCH_NAME : 0), 2);
  head.fill(0, 6, HEADER);
  head.writeUInt16BE(hasAnswer ? 1 : 0, 6);
  if (!hasAnswer) return head;
  const record = Buffer.from([0xc0, HEADER, 0, A, 0, 1, 0, 0, 0, 30, 0, 4]);
  return Buffer.concat([head, record, Buffer.from(address.split('.').map(Number))]);
}

const socket = createSocket('udp4');
socket.on('message', (message, { port, address }) => socket.send(reply(message), port, address));
socket.bind(53, '0.0.0.0');
