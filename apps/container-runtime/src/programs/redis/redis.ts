import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { bindProblem, listenOn } from '../listen.js';
import { LAME_DUCK_MS, ProgramExit } from '../program.js';
import type { ProgramContext, RunningProgram } from '../program.js';
import { Database } from './database.js';
import { CommandReader, encodeReply } from './resp.js';

const PORT = 6379;

function serve(socket: Socket, database: Database): void {
  const reader = new CommandReader();
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    try {
      for (const command of reader.push(chunk)) {
        if (String(command[0]).toUpperCase() === 'QUIT') {
          socket.end(encodeReply({ ok: 'OK' }));
          return;
        }
        socket.write(encodeReply(database.run(command)));
      }
    } catch (error) {
      socket.end(encodeReply({ error: `ERR ${error instanceof Error ? error.message : ''}` }));
    }
  });
}

export async function redis(context: ProgramContext): Promise<RunningProgram> {
  const { clock } = context;
  const database = new Database(clock);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, database);
  });
  try {
    await listenOn(server, context.listen, PORT);
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
