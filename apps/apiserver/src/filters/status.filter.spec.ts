import { describe, expect, it } from '@jest/globals';
import type { Logger } from '@orrery/component';
import type { ApiReply } from '../transport/api-reply.js';
import { answerError } from './status.filter.js';

function left(destroyed: boolean): { logged: string[]; answer: (error: Error) => void } {
  const logged: string[] = [];
  const logger = { error: (message: string) => logged.push(message) } as unknown as Logger;
  const raw = { destroyed, headersSent: true, destroy: () => undefined };
  const reply = { sent: false, raw } as unknown as ApiReply;
  return {
    logged,
    answer: (error) => {
      answerError(error, undefined, reply, logger);
    },
  };
}

const aborted = Object.assign(new Error('The operation was aborted'), { name: 'AbortError' });

describe('answerError(), when the answer has begun', () => {
  it.each([
    { name: 'nothing of a client that went', gone: true, error: aborted, want: [] },
    {
      name: 'what broke though the client went',
      gone: true,
      error: new Error('x'),
      want: ['request failed'],
    },
    { name: 'an abort of our own', gone: false, error: aborted, want: ['request failed'] },
  ])('logs $name', ({ gone, error, want }) => {
    const { logged, answer } = left(gone);
    answer(error);
    expect(logged).toEqual(want);
  });
});
