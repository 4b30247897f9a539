import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { reachablePort } from '@orrery/component';
import { Fatal, textOf } from './agnhost.js';
import type { Agnhost } from './agnhost.js';

/** Answers each datagram with what `answer` gives; nothing for undefined. */
export function serveUdp(
  host: Agnhost,
  port: number,
  answer: (message: Buffer, from: RemoteInfo) => string | undefined,
): Promise<Socket> {
  const socket = createSocket(isIPv6(host.listen) || host.listen === '' ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => {
    const text = answer(message, from);
    if (text !== undefined) socket.send(text, from.port, from.address);
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      reject(new Fatal(`listen udp :${port}: ${textOf(error)}`));
    });
    socket.bind(reachablePort(port), host.listen === '' ? '::' : host.listen, () => {
      resolve(socket);
    });
  });
}

/** Sends one datagram and waits for one back. */
export function askUdp(
  host: Agnhost,
  target: { readonly address: string; readonly port: number },
  request: string,
  timeoutMs: number,
): Promise<string> {
  const socket = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    const fail = (text: string): void => {
      cancel();
      socket.close();
      reject(new Error(`reading from udp connection failed. err:'${text}'`));
    };
    const cancel = host.clock.after(timeoutMs, () => {
      fail(`read udp ->${target.address}:${target.port}: i/o timeout`);
    });
    socket.once('error', (error) => {
      fail(textOf(error));
    });
    socket.once('message', (message) => {
      cancel();
      socket.close();
      resolve(message.toString('utf8'));
    });
    socket.connect(target.port, target.address, () => {
      socket.send(request);
    });
  });
}
