import { createSocket } from 'node:dgram';

/** Sends one datagram from a socket of its own and waits for the answer. */
export function sendDatagram(address: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const late = AbortSignal.timeout(2000);
    const end = (): void => {
      socket.removeAllListeners().close();
    };
    late.addEventListener('abort', () => {
      end();
      reject(new Error(`no datagram from ${address}:${port} within 2 s`));
    });
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
