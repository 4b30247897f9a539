import type { FastifyReply } from 'fastify';

export function sendText(reply: FastifyReply, code: number, text: string): void {
  void reply.code(code).type('text/plain; charset=utf-8').send(text);
}
