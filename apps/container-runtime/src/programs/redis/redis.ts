import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { bindProblem, listenOn } from '../listen.js';
import { LAME_DUCK_MS, ProgramExit } from '../program.js';
import type { ProgramContext, RunningProgram } from '../program.js';
import { Channels } from './channels.js';
import type { Subscriber } from './channels.js';
import { Database } from './database.js';
import { CommandReader, encodeReply } from './resp.js';

const PORT = 6379;

/** What a connection may still do while it listens to channels. */
const WHILE_LISTENING = new Set(['SUBSCRIBE', 'UNSUBSCRIBE', 'PSUBSCRIBE', 'PUNSUBSCRIBE', 'PING']);

const VERBS: Readonly<
  Record<string, readonly ['subscribe' | 'unsubscribe', 'channels' | 'patterns']>
> = {
  SUBSCRIBE: ['subscribe', 'channels'],
  PSUBSCRIBE: ['subscribe', 'patterns'],
  UNSUBSCRIBE: ['unsubscribe', 'channels'],
  PUNSUBSCRIBE: ['unsubscribe', 'patterns'],
};

/** Answers a command of channels; false for any other. */
function serveChannels(
  [name, ...args]: readonly Buffer[],
  subscriber: Subscriber,
  channels: Channels,
): boolean {
  const verb = String(name).toUpperCase();
  const change = VERBS[verb];
  if (change) {
    channels[change[0]](subscriber, args.map(String), change[1]);
    return true;
  }
  const [channel, message] = args;
  if (channels.isListening(subscriber)) {
    subscriber.send(
      WHILE_LISTENING.has(verb)
        ? [Buffer.from('pong'), channel ?? Buffer.alloc(0)]
        : {
            error: `ERR Can't execute '${verb.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
          },
    );
    return true;
  }
  if (verb !== 'PUBLISH' || !channel || !message) return false;
  subscriber.send(channels.publish(String(channel), message));
  return true;
}

function serve(socket: Socket, database: Database, channels: Channels): void {
  const reader = new CommandReader();
  const subscriber: Subscriber = {
    send: (reply) => {
      socket.write(encodeReply(reply));
    },
  };
  socket.once('close', () => {
    channels.leave(subscriber);
  });
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    try {
      for (const command of reader.push(chunk)) {
        if (String(command[0]).toUpperCase() === 'QUIT') {
          socket.end(encodeReply({ ok: 'OK' }));
          return;
        }
        if (!serveChannels(command, subscriber, channels)) subscriber.send(database.run(command));
      }
    } catch (error) {
      socket.end(encodeReply({ error: `ERR ${error instanceof Error ? error.message : ''}` }));
    }
  });
}

export async function redis(context: ProgramContext): Promise<RunningProgram> {
  const { clock } = context;
  const database = new Database(clock);
  const channels = new Channels();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, database, channels);
  });
  try {
    await listenOn(server, context, PORT);
  } catch (error) {
    const problem = bindProblem(error);
    if (!problem) throw error;
    context.log(
      'stdout',
      `1:M # Warning: Could not create server TCP listening socket ${context.ip}:${PORT}: bind: ${problem.text}\n1:M # Failed listening on port ${PORT} (tcp), aborting.`,
    );
    throw new ProgramExit(1);
  }
  context.log('stdout', '1:M * Ready to accept connections tcp');
  const kill = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    stop: async () => {
      await clock.sleep(LAME_DUCK_MS);
      context.log('stdout', '1:M # Redis is now ready to exit, bye bye...');
      kill();
    },
    kill,
    cpuNanoseconds: () => 0,
  };
}
