import { describe, expect, it } from '@jest/globals';
import { checkHistory } from '../checkers/check-history.js';
import { generateHistory } from '../generators/generate-history.js';
import { MUTANTS, applyMutant } from '../generators/mutants/mutants.js';
import { createSeededRandom } from '../generators/seeded-random.js';
import { firstViolation, renderTimeline } from './render-timeline.js';
import { formatVerdicts } from './verdict-table.js';

function staleRead() {
  const mutant = MUTANTS.find(({ name }) => name === 'stale read');
  const legal = generateHistory({ seed: 7 });
  const history = mutant && applyMutant(mutant, legal, createSeededRandom(7));
  if (!history) throw new Error('no occasion for a stale read');
  return { history, results: checkHistory(history, { now: () => performance.now() }) };
}

describe(renderTimeline.name, () => {
  it('draws every operation, the fault window, and one impossible operation in red', () => {
    const { history, results } = staleRead();
    const html = renderTimeline(history, results, { title: 'seed <7>' });
    expect(html.match(/class="impossible"/g)).toHaveLength(1);
    expect(html.match(/<rect [^>]*class="(write|read|fail|unknown|impossible)"/g)).toHaveLength(
      history.operations.length,
    );
    expect(html).toContain('class="fault"');
    expect(html).toContain('seed &lt;7&gt;');
  });

  it('needs nothing from elsewhere', () => {
    const { history, results } = staleRead();
    const html = renderTimeline(history, results, { title: 'seed 7' });
    expect(html).not.toMatch(/src=|href=|@import|url\(|<script/);
  });
});

describe(firstViolation.name, () => {
  it('prefers the operation that was called first', () => {
    const { results } = staleRead();
    expect(firstViolation(results)?.operation?.f).toBe('get');
  });
});

describe(formatVerdicts.name, () => {
  it('shows a line for each checker and its first violations', () => {
    const text = formatVerdicts(staleRead().results);
    expect(text.split('\n')[0]).toMatch(/^CHECKER +VERDICT +CHECKED +VIOLATIONS +NOTES$/);
    expect(text).toMatch(/revision-order +illegal/);
    expect(text).toMatch(/linearizability +illegal/);
    expect(text).toContain('revision-order/stale-read: c');
  });
});
