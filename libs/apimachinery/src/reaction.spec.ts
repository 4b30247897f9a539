import { describe, expect, it } from '@jest/globals';
import type { Reaction } from './reaction.js';
import { formatReaction, parseReaction } from './reaction.js';

describe('parseReaction()', () => {
  it.each<{ name: string; header: string; want: Reaction | undefined }>([
    { name: 'a revision', header: 'revision=45', want: { revision: 45 } },
    {
      name: 'all three',
      header: 'revision=45; controller=replicaset; reason=too%20few%20pods',
      want: { revision: 45, controller: 'replicaset', reason: 'too few pods' },
    },
    { name: 'a controller alone', header: 'controller=cronjob', want: { controller: 'cronjob' } },
    { name: 'nothing', header: '', want: undefined },
    { name: 'revision 0', header: 'revision=0', want: undefined },
    { name: 'a negative revision', header: 'revision=-1', want: undefined },
    { name: 'a fraction', header: 'revision=1.5', want: undefined },
    { name: 'a revision past 2^53', header: 'revision=9007199254740993', want: undefined },
    { name: 'an unknown field', header: 'revision=1; colour=red', want: undefined },
    { name: 'a name of every object', header: 'constructor=1', want: undefined },
    { name: 'a controller with a newline', header: 'controller=a%0Ab', want: undefined },
    { name: 'a reason with an escape', header: 'reason=%1b%5b2J', want: undefined },
    { name: 'a broken escape', header: 'reason=%E0%A4%A', want: undefined },
    { name: 'too long a header', header: `reason=${'x'.repeat(600)}`, want: undefined },
  ])('$name', ({ header, want }) => {
    expect(parseReaction(header)).toEqual(want);
  });

  it('reads what formatReaction writes', () => {
    const reaction = { revision: 7, controller: 'kubelet', reason: 'Ausgewählt; a=b' };
    expect(parseReaction(formatReaction(reaction) ?? '')).toEqual(reaction);
  });
});
