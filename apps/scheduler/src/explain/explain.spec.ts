import { describe, expect, it } from '@jest/globals';
import { node, pod } from '../../test/builders.js';
import { PluginBench } from '../../test/plugin-context.js';
import { nodeResourcesFit } from '../plugins/node-resources-fit/node-resources-fit.plugin.js';
import { taintToleration } from '../plugins/taint-toleration/taint-toleration.plugin.js';
import { explain } from './explain.js';
import { renderExplanation } from './render.js';

describe('explain()', () => {
  const bench = new PluginBench([taintToleration, nodeResourcesFit], {
    nodes: [
      node('small')
        .allocatable({ cpu: '1', memory: '1Gi' })
        .tainted({ key: 'x', effect: 'NoSchedule' }),
      node('large'),
      node('busy'),
    ],
    pods: [pod('other').requests({ cpu: '2' }).on('busy')],
  });
  const asked = pod('web').requests({ cpu: '2' }).info();

  it('shows every verdict and score, best node first', () => {
    const text = renderExplanation(explain(bench.framework, asked, bench.cache.list()));
    expect(text).toBe(`scheduler: default-scheduler
NODE    PLUGIN             SCORE   REFUSED FOR
large   fits               373
        TaintToleration    300
        NodeResourcesFit   73
busy    fits               347
        TaintToleration    300
        NodeResourcesFit   47
small   refused            -
        TaintToleration    -       node(s) had untolerated taint(s)
        NodeResourcesFit   -       Insufficient cpu
`);
  });
});
