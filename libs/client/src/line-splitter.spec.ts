import { describe, expect, it } from '@jest/globals';
import { LineSplitter } from './line-splitter.js';

describe('LineSplitter', () => {
  it.each([
    { name: 'whole lines', chunks: ['a\nb\n'], want: ['a', 'b'] },
    { name: 'a line over three chunks', chunks: ['a', 'b', 'c\n'], want: ['abc'] },
    { name: 'a newline alone in a chunk', chunks: ['ab', '\n', 'c\n'], want: ['ab', 'c'] },
    { name: 'empty lines', chunks: ['\n\na\n\n'], want: ['a'] },
  ])('gives $name', ({ chunks, want }) => {
    const splitter = new LineSplitter();
    expect(chunks.flatMap((chunk) => [...splitter.push(Buffer.from(chunk))])).toEqual(want);
    expect(splitter.incomplete).toBe(false);
  });

  it('joins a character whose bytes come apart', () => {
    const bytes = Buffer.from('ä\n');
    const splitter = new LineSplitter();
    expect([...splitter.push(bytes.subarray(0, 1)), ...splitter.push(bytes.subarray(1))]).toEqual([
      'ä',
    ]);
  });
});
