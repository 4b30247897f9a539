import { createSocket } from 'node:dgram';

const ANSWER_MS = 2_000;

/** Sends one datagram from a socket of its own and waits for the answer. */
export function sendDatagram(address: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const end = (): void => {
      clearTimeout(late);
      socket.removeAllListeners().close();
    };
    const late = setTimeout(() => {
      end();
      reject(new Error(`no datagram from ${address}:${port} within ${ANSWER_MS} ms`));
    }, ANSWER_MS);
    socket.once('error', (error) => {
      end();
      reject(error);
    });
    socket.once('message', (message) => {
      end();
      resolve(message.toString());
    });
    socket.send(text, port, address);
  });
}
